import { expect, test } from 'vitest'
import { Traffic } from '../../../../gateway/sfu/traffic.ts'

test('the bitrate is that of the last second, and falls when nothing comes any more', () => {
  const traffic = new Traffic()
  expect(traffic.bitrate(0)).toBeUndefined()
  for (let ms = 0; ms < 1_000; ms += 10) traffic.packet(1_250, ms)
  expect(traffic.bitrate(990)).toBeUndefined()
  for (let ms = 1_000; ms < 2_000; ms += 10) traffic.packet(125, ms)
  expect(traffic.bitrate(1_990)).toBe(1_000_000)
  traffic.packet(125, 2_000)
  expect(traffic.bitrate(2_000)).toBe(100_000)
  expect(traffic.bitrate(12_000)).toBe(100)
  expect(traffic.packets).toBe(201)
})
