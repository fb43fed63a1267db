import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameRanges, rangesOf } from '../../../../device/footage/ranges.ts'

describe('FrameRanges', () => {
  it('joins what touches', () => {
    const ranges = new FrameRanges()
    ranges.add(10, 19)
    ranges.add(30, 39)
    ranges.add(20, 25)
    ranges.add(5, 3)
    expect(ranges.ranges).toEqual([
      [10, 25],
      [30, 39],
    ])
    expect(ranges.missing(0, 50)).toEqual([
      [0, 9],
      [26, 29],
      [40, 50],
    ])
    ranges.remove(12, 33)
    expect(ranges.ranges).toEqual([
      [10, 11],
      [34, 39],
    ])
  })

  it('forgets the oldest beyond its bound', () => {
    const ranges = new FrameRanges(2)
    for (const from of [0, 10, 20]) ranges.add(from, from + 1)
    expect(ranges.ranges).toEqual([
      [10, 11],
      [20, 21],
    ])
  })

  it('behaves as a set of numbers', () => {
    const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 10 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const ranges = new FrameRanges()
        const set = new Set<number>()
        for (const [adds, from, length] of steps) {
          if (adds) ranges.add(from, from + length)
          else ranges.remove(from, from + length)
          for (let frame = from; frame <= from + length; frame += 1) {
            if (adds) set.add(frame)
            else set.delete(frame)
          }
        }
        const all = Array.from({ length: 80 }, (_, frame) => ({ frame }))
        expect(ranges.ranges).toEqual(rangesOf(all.filter(({ frame }) => set.has(frame))))
        expect(ranges.missing(0, 79)).toEqual(rangesOf(all.filter(({ frame }) => !set.has(frame))))
        expect(all.every(({ frame }) => ranges.has(frame) === set.has(frame))).toBe(true)
      }),
    )
  })
})
