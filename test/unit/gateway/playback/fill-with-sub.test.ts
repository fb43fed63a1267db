import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PartSpan, selectParts } from '../../../../gateway/playback/select-parts.ts'

/** Parts of a second each, `every` seconds a keyframe. */
function seconds(run: string, from: number, to: number, every = 1, offsetMs = 0): PartSpan[] {
  return Array.from({ length: to - from }, (_, index) => ({
    ...{ run, first_frame: (from + index) * 10, last_frame: (from + index) * 10 + 9, generation: 0 },
    keyframe: index % every === 0 ? 1 : 0,
    ...{ start_ms: (from + index) * 1_000 + offsetMs, end_ms: (from + index + 1) * 1_000 + offsetMs },
  }))
}
const small = (from: number, to: number, every = 2, offsetMs = 0) => seconds('boot.sub', from, to, every, offsetMs)
const main = (from: number, to: number, offsetMs = 0) => seconds('boot', from, to, 1, offsetMs)

/** `main 2-5`, `sub 0-2.3`: what is played from when to when, in seconds. */
function played(parts: readonly PartSpan[]): string[] {
  const said: { name: string; from: number; to: number }[] = []
  for (const { run, start_ms: from, end_ms: to } of parts) {
    const name = run.endsWith('.sub') ? 'sub' : 'main'
    const last = said.at(-1)
    if (last?.name === name && last.to === from) last.to = to
    else said.push({ name, from, to })
  }
  return said.map(({ name, from, to }) => `${name} ${from / 1_000}-${to / 1_000}`)
}

test.each<[string, PartSpan[], [number, number], string[]]>([
  ['only the small layer', small(0, 10), [3_500, 6_000], ['sub 2-6']],
  ['only the main one', main(0, 10), [3_500, 6_000], ['main 3-6']],
  [
    'an event: the small layer ends where it begins',
    [...small(0, 10), ...main(4, 8, 300)],
    [0, 10_000],
    ['sub 0-4.3', 'main 4.3-8', 'sub 8-10'],
  ],
  [
    'the small layer goes on from its last keyframe',
    [...small(0, 20, 4), ...main(4, 10)],
    [0, 20_000],
    ['sub 0-4', 'main 4-8', 'sub 8-20'],
  ],
  [
    'a group of the small layer that is longer than the event leaves the event whole',
    [...small(0, 20, 10), ...main(4, 8)],
    [0, 20_000],
    ['sub 0-4', 'main 4-8', 'sub 10-20'],
  ],
  [
    'what still grows waits for its next main part',
    [...small(0, 10), ...main(2, 6)],
    [0, Number.POSITIVE_INFINITY],
    ['sub 0-2', 'main 2-6'],
  ],
  [
    'a hole in the small layer stays one',
    [...small(0, 4), ...small(8, 12), ...main(4, 6)],
    [0, 12_000],
    ['sub 0-4', 'main 4-6', 'sub 8-12'],
  ],
  [
    'the time asked for begins and ends in an event',
    [...small(0, 20), ...main(0, 3), ...main(8, 12)],
    [1_000, 9_000],
    ['main 1-2', 'sub 2-8', 'main 8-9'],
  ],
])('%s', (_, parts, [from, to], expected) => {
  expect(played(selectParts(parts, from, to).parts)).toEqual(expected)
})

test('where the small layer is whole, every moment is played once, whatever there is of the main one', () => {
  const events = fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 3, max: 8 }), fc.nat(900)), { maxLength: 5 })
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 3 }), (spans, every) => {
      const runs = spans.flatMap(([from, length, offset], index) =>
        seconds(`boot${index}`, from, from + length, 1, offset),
      )
      const apart = spans.every(([from], index) =>
        spans.every(([other], at) => at === index || Math.abs(other - from) > 10),
      )
      fc.pre(apart)
      const { parts, gaps } = selectParts([...small(0, 60, every), ...runs], 0, 60_000)
      expect(gaps).toEqual([])
      let at = 0
      for (const part of parts) {
        expect(Math.abs(part.start_ms - at)).toBeLessThan(250)
        expect(part.end_ms).toBeGreaterThan(part.start_ms)
        at = part.end_ms
      }
      expect(at).toBeGreaterThan(60_000 - 250)
    }),
  )
})
