import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clipped, joined, type Spans, without } from '../../../../gateway/playback/spans.ts'

const spans = fc.array(
  fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 20 })).map(([from, length]): Spans[0] => [from, from + length]),
)
/** Every whole number that lies in one of the spans. */
const inside = (list: Spans) =>
  Array.from({ length: 100 }, (_, at) => at).filter((at) => list.some(([from, to]) => from <= at && at < to))

test('joined spans cover the same, in order and apart', () => {
  fc.assert(
    fc.property(spans, fc.nat(5), (list, pauseMs) => {
      const result = joined(list, pauseMs)
      for (const [index, [from]] of result.entries()) {
        if (index > 0) expect(from - result[index - 1]![1]).toBeGreaterThan(pauseMs)
      }
      const covered = new Set(inside(result))
      for (const at of inside(list)) expect(covered).toContain(at)
      if (pauseMs === 0) expect(inside(result)).toEqual(inside(list))
    }),
  )
})

test('what is taken away and what is cut off is no longer there, and the rest is', () => {
  fc.assert(
    fc.property(spans, spans, fc.nat(50), fc.nat(50), (list, taken, from, length) => {
      const [all, gone] = [joined(list), joined(taken)]
      expect(inside(without(all, gone))).toEqual(inside(all).filter((at) => !inside(gone).includes(at)))
      const part = inside(all).filter((at) => at >= from && at < from + length)
      expect(inside(clipped(all, from, from + length))).toEqual(part)
    }),
  )
})
