import { expect, test } from 'vitest'
import { measure } from '../../bench/ttff-measure.ts'

/** Shown every 40 ms from `fromMs` on; picture n was sent at n × 40. */
const shown = (fromMs: number, count: number, ageMs: number) =>
  Array.from({ length: count }, (_, index) => ({
    atMs: fromMs + index * 40,
    readMs: fromMs + index * 40,
    barcode: Math.floor((fromMs + index * 40 - ageMs) / 40),
    width: 1_280,
  }))
const sentBefore = (barcode: number) => barcode * 40
const view = (frames: ReturnType<typeof shown>) => ({ tapMs: 1_000, connectedMs: 1_050, frames })

test('the first picture counts from the tap; a fresh one is captured after it', () => {
  expect(measure(view(shown(1_100, 120, 60)), sentBefore)).toMatchObject({ first: 100, fresh: 100, connected: 50 })
  expect(measure(view(shown(1_100, 120, 240)), sentBefore)).toMatchObject({ first: 100, fresh: 260 })
})

test('pictures that stay too old never become fresh, and no picture is no measurement', () => {
  expect(measure(view(shown(1_100, 120, 400)), sentBefore)?.fresh).toBeUndefined()
  expect(measure(view([]), sentBefore)).toBeUndefined()
})

test('the longest standstill counts, also the one at the end of the 5 s', () => {
  const frames = [...shown(1_100, 50, 60), ...shown(3_500, 50, 60)]
  expect(measure(view(frames), sentBefore)?.stall).toBe(640)
  expect(
    measure(view(shown(1_100, 150, 60).filter(({ atMs }) => atMs < 1_500 || atMs > 2_000)), sentBefore)?.stall,
  ).toBe(560)
})
