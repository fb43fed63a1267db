import type { TimeSpan } from '../api/calls.ts'

const minuteMs = 60_000
/** Steps between the times that are written on a scale, minutes. */
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720]

/** So close to an edge no time is written. */
const edge = 0.08

/** Where a moment stands on a scale, 0 … 1 from left to right (beyond where it lies outside). */
export function placeOf({ fromMs, toMs }: TimeSpan, ms: number): number {
  return (ms - fromMs) / (toMs - fromMs)
}

/** The moment at a place of a scale; never outside. */
export function momentAt({ fromMs, toMs }: TimeSpan, place: number): number {
  return fromMs + Math.min(1, Math.max(0, place)) * (toMs - fromMs)
}

/** Where a stretch is drawn, in percent of the scale; undefined where it lies outside. @param least width in percent */
export function stretchOf(
  scale: TimeSpan,
  from: number,
  to: number,
  least = 0,
): { left: string; width: string } | undefined {
  const left = Math.max(0, placeOf(scale, from))
  const right = Math.min(1, placeOf(scale, to))
  if (right < 0 || left > 1 || right < left) return undefined
  return { left: percent(left), width: percent(Math.max(right - left, least / 100)) }
}

export const percent = (place: number): string => `${(place * 100).toFixed(3)}%`

/** The times to write on a scale: full ones of the local day, `most` at most, and none that the edge would cut off. */
export function ticksOf(scale: TimeSpan, most: number): number[] {
  const { fromMs, toMs } = scale
  const wanted = (toMs - fromMs) / minuteMs / most
  const step = (steps.find((minutes) => minutes >= wanted) ?? steps.at(-1)!) * minuteMs
  const midnight = new Date(fromMs).setHours(0, 0, 0, 0)
  const ticks: number[] = []
  for (let at = midnight + Math.ceil((fromMs - midnight) / step) * step; at <= toMs; at += step) ticks.push(at)
  return ticks.filter((at) => Math.abs(placeOf(scale, at) - 0.5) < 0.5 - edge)
}
