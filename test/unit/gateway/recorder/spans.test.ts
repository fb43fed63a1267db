import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Spans } from '../../../../gateway/recorder/spans.ts'

test('spans that touch grow together, and what is taken out leaves the rest', () => {
  const spans = new Spans(1)
  spans.add(10, 19)
  spans.add(30, 39)
  spans.add(20, 25)
  expect(spans.list()).toEqual([
    [10, 25],
    [30, 39],
  ])
  spans.remove(15, 32)
  expect(spans.list()).toEqual([
    [10, 14],
    [33, 39],
  ])
})

test('behaves as a set of numbers', () => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 15 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const spans = new Spans(1)
      const set = new Set<number>()
      for (const [add, from, length] of steps) {
        for (let value = from; value <= from + length; value += 1) add ? set.add(value) : set.delete(value)
        if (add) spans.add(from, from + length)
        else spans.remove(from, from + length)
      }
      for (let value = 0; value < 80; value += 1) expect(spans.has(value)).toBe(set.has(value))
      const numbers = (found: readonly [number, number][]) =>
        found.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index))
      const asked = Array.from({ length: 41 }, (_, index) => index + 20)
      expect(numbers(spans.within(20, 60))).toEqual(asked.filter((value) => set.has(value)))
      expect(numbers(spans.missing(20, 60))).toEqual(asked.filter((value) => !set.has(value)))
    }),
  )
})
