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

it('takes what others leave of the uplink, and a little where they leave nothing', async () => {
  let now = 0
  let spare: number | undefined
  const wait = async (ms: number) => {
    now += ms
  }
  const bucket = new TokenBucket(
    8_000,
    () => now,
    wait,
    () => spare,
  )
  const { signal } = new AbortController()
  const minute = async (bytes: number) => {
    const from = now
    for (let left = bytes; left > 0; left -= 1_000) await bucket.take(1_000, signal)
    return now - from
  }
  await minute(300_000)
  expect(await minute(1_000_000)).toBeCloseTo(1_000, -1)
  spare = 400_000
  expect(await minute(500_000)).toBeCloseTo(10_000, -2)
  spare = 0
  expect(await minute(8_000)).toBeCloseTo(2_000, -2)
  spare = 1e9
  expect(await minute(1_000_000)).toBeLessThan(1_010)
})

it('hears of more room while it waits', async () => {
  let now = 0
  let spare = 0
  const wait = async (ms: number) => {
    now += ms
    spare = 8_000_000
  }
  const bucket = new TokenBucket(
    8_000,
    () => now,
    wait,
    () => spare,
  )
  await bucket.take(300_000, new AbortController().signal)
  expect(now).toBeLessThan(1_000)
})
