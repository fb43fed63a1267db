import { expect, it } from 'vitest'
import { TokenBucket } from '../../../../device/footage/token-bucket.ts'

it('keeps the rate over time, after a small burst', async () => {
  let now = 0
  const wait = async (ms: number) => {
    now += ms
  }
  const bucket = new TokenBucket(800, () => now, wait)
  const { signal } = new AbortController()
  for (let index = 0; index < 1_000; index += 1) await bucket.take(1_000, signal)
  // 1 MB at 100 bytes a millisecond, less the burst of 25 KB
  expect(now).toBeGreaterThan(9_700)
  expect(now).toBeLessThan(10_001)
  now -= 3_600_000
  await bucket.take(1_000, signal)
  await bucket.take(1_000, signal)
  expect(now).toBeLessThan(10_100 - 3_600_000)
})
