import { expect, test } from 'vitest'
import { StreamRate } from '../../../../device/webrtc/stream-rate.ts'

test('the rate is that of the capture times, not of the moment at which pictures are handed over', () => {
  const rate = new StreamRate()
  for (let picture = 0; picture < 25; picture++) rate.add(10_000, 1e12 + picture * 40)
  expect(rate.bytesPerMs).toBe(0)
  for (let picture = 25; picture < 80; picture++) rate.add(10_000, 1e12 + picture * 40)
  expect(rate.bytesPerMs).toBeCloseTo(250)
})

test('a pause, or a clock that was set, says nothing of the rate', () => {
  const rate = new StreamRate()
  for (let picture = 0; picture < 60; picture++) rate.add(10_000, picture * 40)
  for (const startMs of [3_600_000, 5_000]) {
    for (let picture = 0; picture < 60; picture++) rate.add(10_000, startMs + picture * 40)
    expect(rate.bytesPerMs).toBeCloseTo(250)
  }
})
