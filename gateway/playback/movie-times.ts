import type { RecordedPart } from './recorded-parts.ts'

/** A longer pause is skipped, ms. */
export const skippedPauseMs = 1_000

/**
 * The timeline of parts that are played one after the other: pauses are skipped, and what another run showed at the same
 * time (a clock that stepped back) follows it. Sound goes on where only the pictures are missing.
 * @param parts in the order to play them
 * @returns for each part the capture time, in ms, that is 0 in the timeline
 */
export function zeroTimes(parts: readonly RecordedPart[]): number[] {
  let zeroMs = parts[0]?.start_ms ?? 0
  return parts.map((part, index) => {
    const before = parts[index - 1]
    if (before === undefined) return zeroMs
    const otherRun = part.run !== before.run
    if (otherRun || part.start_ms - before.end_ms > skippedPauseMs) {
      const pauseMs = extent(part)[0] - extent(before)[1]
      if (pauseMs > skippedPauseMs || (otherRun && pauseMs < 0)) zeroMs += pauseMs
    }
    return zeroMs
  })
}

/** When the pictures or the sound of a part begin, and when both have ended: capture times in ms. */
function extent(part: RecordedPart): [number, number] {
  const spans: [number, number][] = [[part.start_ms, part.end_ms], ...JSON.parse(part.audio_json)]
  const ends = spans.map(([, to]) => Math.min(to, part.until_ms ?? Number.POSITIVE_INFINITY))
  return [Math.min(...spans.map(([from]) => from)), Math.max(...ends)]
}
