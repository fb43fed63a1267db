import { describe, expect, test } from 'vitest'
import { freezes, movingAgain, widthAgain } from '../../bench/lossy-measure.ts'

/** 25 pictures a second from `fromMs` to `toMs`. */
const pictures = (fromMs: number, toMs: number, width = 1280) =>
  Array.from({ length: (toMs - fromMs) / 40 }, (_, index) => ({
    atMs: fromMs + index * 40,
    readMs: fromMs + index * 40,
    barcode: (fromMs / 40 + index) % 1000,
    width,
  }))

describe('freezes', () => {
  test('a picture every 40 ms never stands still', () => {
    expect(freezes(pictures(0, 10_000), 1_000, 9_000)).toBe(0)
  })

  test('each longer standstill counts, also the one that goes on at the end', () => {
    const frames = [...pictures(0, 2_000), ...pictures(2_400, 4_000), ...pictures(4_240, 6_000)]
    expect(freezes(frames, 1_000, 6_000)).toBe(1)
    expect(freezes(frames, 1_000, 7_000)).toBe(2)
    expect(freezes([], 0, 5_000)).toBe(1)
  })
})

describe('moving again', () => {
  test('counts to the end of the last standstill', () => {
    const frames = [...pictures(0, 2_000), ...pictures(2_800, 3_200), ...pictures(3_600, 10_000, 320)]
    expect(movingAgain(frames, 2_000, 10_000)).toBe(1_600)
  })

  test('is 0 where nothing stood still, and null where nothing moves for good', () => {
    expect(movingAgain(pictures(0, 10_000), 2_000, 10_000)).toBe(0)
    expect(movingAgain(pictures(0, 2_000), 2_000, 10_000)).toBeNull()
    expect(movingAgain([...pictures(0, 2_000), ...pictures(9_000, 10_000)], 2_000, 10_000)).toBeNull()
  })
})

test('the main layer is back with the first picture of its width', () => {
  const frames = [...pictures(0, 4_000, 320), ...pictures(4_000, 6_000)]
  expect(widthAgain(frames, 1280, 1_000, 6_000)).toBe(3_000)
  expect(widthAgain(frames, 1920, 1_000, 6_000)).toBeNull()
})
