import { expect, test } from 'vitest'
import { zeroTimes } from '../../../../gateway/playback/movie-times.ts'
import type { RecordedPart } from '../../../../gateway/playback/recorded-parts.ts'

const startMs = 1_700_000_000_000

/** A second of pictures, with sound at the given times after the start. */
function part(fromMs: number, more: Partial<RecordedPart> = {}, ...sound: [number, number][]): RecordedPart {
  const audio = sound.map(([from, to]) => [startMs + from, startMs + to])
  return {
    ...{ id: 1, path: 'x', base_ms: 0, init_bytes: 1, config: 'c', offset: 0, bytes: 1, run: 'a', generation: 0 },
    ...{ first_frame: 0, last_frame: 24, keyframe: 1, audio_json: JSON.stringify(audio) },
    ...{ start_ms: startMs + fromMs, end_ms: startMs + fromMs + 1_000 },
    ...more,
  }
}

/** Where each part begins in the movie, ms. */
const places = (...parts: RecordedPart[]) => {
  const zeros = zeroTimes(parts)
  return parts.map(({ start_ms: from }, index) => from - zeros[index]!)
}

test.each<[string, RecordedPart[], number[]]>([
  ['nothing', [], []],
  ['what goes on', [part(0), part(1_000)], [0, 1_000]],
  ['a short pause: the picture stands', [part(0), part(1_900)], [0, 1_900]],
  ['two long pauses are skipped', [part(0), part(9_000), part(10_000), part(99_000)], [0, 1_000, 2_000, 3_000]],
  ['sound that outlasts the picture is heard to its end', [part(0, {}, [0, 1_500]), part(9_000)], [0, 1_500]],
  ['sound that begins before the picture does', [part(0), part(9_000, {}, [8_700, 10_000])], [0, 1_300]],
  ['sound goes on where pictures are missing', [part(0, {}, [0, 1_000]), part(9_000, {}, [1_020, 10_000])], [0, 9_000]],
  ['a run after the clock was set back', [part(0), part(1_000), part(500, { run: 'b' })], [0, 1_000, 2_000]],
  ['another run without a pause', [part(0), part(1_200, { run: 'b' })], [0, 1_200]],
])('%s', (_, parts, expected) => {
  expect(places(...parts)).toEqual(expected)
})
