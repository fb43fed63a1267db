import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aheadMs, backMs, SteadyTimes } from '../../../../gateway/recorder/steady-times.ts'

const unit = (frame: number, captureMs: number, keyframe = false): AccessUnit => ({
  ...{ codec: 'h264', frame, captureMs, keyframe, reference: true, data: [] },
})
const hour = 3_600_000

test.each([
  ['ahead', 40 * hour],
  ['back', -hour],
])('a clock that is set %s within a group counts from the next keyframe on', (_, step) => {
  const times = new SteadyTimes()
  const at = (frame: number, ms: number, key = false) => times.unit(unit(frame, ms, key)).captureMs
  expect([at(0, 100 * hour, true), at(1, 100 * hour + 40)]).toEqual([100 * hour, 100 * hour + 40])
  const stepped = 100 * hour + step
  expect([at(2, stepped + 80), at(3, stepped + 120)]).toEqual([100 * hour + 80, 100 * hour + 120])
  const sound = (captureMs: number) =>
    times.audioFrame({
      codec: 'opus',
      frame: 0,
      captureMs,
      clockRate: 48_000,
      channels: 1,
      samples: 960,
      data: unit(0, 0).data[0]!,
    }).captureMs
  expect([sound(stepped + 100), sound(100 * hour + 100)]).toEqual([100 * hour + 100, 100 * hour + 100])
  expect([at(4, stepped + 160, true), at(5, stepped + 200)]).toEqual([stepped + 160, stepped + 200])
  expect(sound(stepped + 200)).toBe(stepped + 200)
})

test('B-frames, a hole in the numbers and a camera that stalls for a while keep their times', () => {
  const times = new SteadyTimes()
  const shown: [number, number][] = [
    [0, 0],
    [1, 160],
    [2, 80],
    [3, 40],
    [4, 120],
    [90, 3_600],
    [91, 3_640 + 30_000],
  ]
  for (const [frame, ms] of shown) expect(times.unit(unit(frame, ms, frame === 0)).captureMs).toBe(ms)
})

test('a row that begins in the middle of a group, or again at an earlier picture, keeps its times', () => {
  const times = new SteadyTimes()
  const shown: [number, number, boolean][] = [
    [90, 3_760, false],
    [91, 3_680, false],
    [92, 3_640, false],
    [75, 3_000, true],
    [76, 3_040, false],
  ]
  for (const [frame, ms, key] of shown) expect(times.unit(unit(frame, ms, key)).captureMs).toBe(ms)
  expect(times.isSetBack(unit(50, 2_000, true))).toBe(false)
  expect(times.isSetBack(unit(77, 2_000, true))).toBe(true)
})

test('whatever times come, within a group they go neither far back nor far ahead', () => {
  const times = fc.array(fc.double({ min: 0, max: 1e13, noNaN: true }), { minLength: 2, maxLength: 30 })
  fc.assert(
    fc.property(times, (all) => {
      const steady = new SteadyTimes()
      let newest: number | undefined
      for (const [frame, ms] of all.entries()) {
        const { captureMs } = steady.unit(unit(frame, ms, frame === 0))
        if (newest !== undefined) {
          expect(captureMs).toBeGreaterThanOrEqual(newest - backMs - 1)
          expect(captureMs).toBeLessThanOrEqual(newest + aheadMs + 1_001)
        }
        newest = Math.max(newest ?? captureMs, captureMs)
      }
    }),
  )
})
