import { expect, test } from 'vitest'
import { type PartSpan, selectParts } from '../../../../gateway/playback/select-parts.ts'

/** A part of 25 pictures at 25 a second; `key` where it begins with a keyframe. */
function part(first: number, last: number, more: Partial<PartSpan> = {}): PartSpan {
  return {
    ...{ run: 'a', first_frame: first, last_frame: last, keyframe: 1, generation: 0 },
    ...{ start_ms: first * 40, end_ms: (last + 1) * 40 },
    ...more,
  }
}
const frames = (parts: readonly PartSpan[]) => parts.map(({ first_frame: first, last_frame: last }) => [first, last])

test.each<[string, PartSpan[], number, number, number[][], number[][]]>([
  ['nothing where there is nothing', [], 0, 1_000, [], []],
  [
    'everything that shows something of the time',
    [part(0, 24), part(25, 49), part(50, 74)],
    1_500,
    1_900,
    [[25, 49]],
    [],
  ],
  [
    'order by frame, not by arrival',
    [part(50, 74), part(0, 24), part(25, 49)],
    0,
    9_000,
    [
      [0, 24],
      [25, 49],
      [50, 74],
    ],
    [],
  ],
  [
    'back to the keyframe',
    [part(0, 24), part(25, 49, { keyframe: 0 }), part(50, 74, { keyframe: 0 })],
    2_100,
    9_000,
    [
      [0, 24],
      [25, 49],
      [50, 74],
    ],
    [],
  ],
  [
    'forward to the keyframe where the way back is broken',
    [part(0, 20), part(25, 49, { keyframe: 0 }), part(50, 74)],
    1_100,
    9_000,
    [[50, 74]],
    [],
  ],
  [
    'the higher generation for the same frames',
    [part(0, 24), part(25, 29), part(35, 49), part(25, 49, { generation: 1 }), part(50, 74)],
    0,
    9_000,
    [
      [0, 24],
      [25, 49],
      [50, 74],
    ],
    [],
  ],
  [
    'a gap where numbers are missing, up to the next keyframe',
    [part(0, 24), part(30, 49, { keyframe: 0 }), part(50, 74, { keyframe: 0 }), part(75, 99), part(100, 124)],
    0,
    9_000,
    [
      [0, 24],
      [75, 99],
      [100, 124],
    ],
    [[1_000, 3_000]],
  ],
  [
    'what goes on over a hole that is filled',
    [part(0, 24), part(25, 29, { keyframe: 0 }), part(30, 49, { keyframe: 0 })],
    0,
    9_000,
    [
      [0, 24],
      [25, 29],
      [30, 49],
    ],
    [],
  ],
  [
    'a gap between two runs',
    [part(0, 24), part(0, 24, { run: 'b', start_ms: 5_000, end_ms: 6_000 })],
    0,
    9_000,
    [
      [0, 24],
      [0, 24],
    ],
    [[1_000, 5_000]],
  ],
])('%s', (_, parts, from, to, chosen, gaps) => {
  const selection = selectParts(parts, from, to)
  expect(frames(selection.parts)).toEqual(chosen)
  expect(selection.gaps).toEqual(gaps)
})

test('four hours of parts are chosen from in no time to speak of', () => {
  const parts = Array.from({ length: 15_000 }, (_, index) => part(index * 25, index * 25 + 24))
  const before = performance.now()
  expect(selectParts(parts, 0, 1e9).parts).toHaveLength(15_000)
  expect(performance.now() - before).toBeLessThan(20_000)
})
