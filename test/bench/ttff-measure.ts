import type { Seen } from './whep-page.ts'

/** The figures of one join, ms. */
export interface Measured {
  first: number
  /** undefined: no picture was fresh while it was watched. */
  fresh: number | undefined
  stall: number
  connected: number
}

/** How long after the first picture a stall counts, ms. */
export const stallWindowMs = 5_000
/** How old a picture may be to count as fresh, ms. */
export const freshAgeMs = 300

/**
 * - `first`: tap to the first picture on screen
 * - `fresh`: tap to the first picture that was captured after the tap and is at most 300 ms old
 * - `stall`: longest time without a new picture in the 5 s after the first
 * @returns undefined: no picture came at all
 * @param sentBefore when the camera last sent the picture of this bar code, before a moment; ms since the Unix epoch
 */
export function measure(
  view: Pick<Seen, 'tapMs' | 'frames' | 'connectedMs'>,
  sentBefore: (barcode: number, atMs: number) => number | undefined,
): Measured | undefined {
  const { tapMs, frames } = view
  const first = frames[0]
  if (!first) return undefined
  const fresh = frames.find(({ atMs, barcode }) => {
    const sentMs = barcode === undefined ? undefined : sentBefore(barcode, atMs)
    return sentMs !== undefined && sentMs >= tapMs && atMs - sentMs <= freshAgeMs
  })
  const endMs = first.atMs + stallWindowMs
  const times = [...frames.filter(({ atMs }) => atMs < endMs).map(({ atMs }) => atMs), endMs]
  let stall = 0
  for (let index = 1; index < times.length; index++) stall = Math.max(stall, times[index]! - times[index - 1]!)
  return {
    first: first.atMs - tapMs,
    fresh: fresh && fresh.atMs - tapMs,
    stall,
    connected: (view.connectedMs ?? Number.NaN) - tapMs,
  }
}
