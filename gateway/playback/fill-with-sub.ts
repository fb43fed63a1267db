import type { PartSpan } from './select-parts.ts'

/** A shorter pause is a picture shown longer, ms. */
export const shortestGapMs = 250

/**
 * Puts parts of the small layer where the main one has none: they begin with a keyframe, so the main parts before them are
 * left at the last keyframe that the small layer has while they go on, and they end where the main parts begin again.
 * @param main as selected, in the order to play them
 * @param small decodable, in order of time
 * @param toMs Infinity: more is being recorded
 */
export function filledWithSub<T extends PartSpan>(
  main: readonly T[],
  small: readonly T[],
  fromMs: number,
  toMs: number,
): T[] {
  const parts: T[] = []
  /** The main parts since the last small one: index of the first. */
  let stretch = 0
  const fill = (untilMs: number) => {
    const before = parts.at(-1)
    const endMs = before?.end_ms ?? fromMs
    if (untilMs - endMs < shortestGapMs) return
    const entry = entryOf(small, endMs, before && parts[stretch]!.start_ms)
    if (entry === undefined || small[entry]!.start_ms >= untilMs) return
    leaveAt(parts, small[entry]!.start_ms)
    for (let index = entry; index < small.length && small[index]!.start_ms < untilMs; index += 1) {
      parts.push(cut(small[index]!, untilMs))
    }
    stretch = parts.length
  }
  for (const part of main) {
    fill(part.start_ms)
    parts.push(part)
  }
  // what grows gets its next main part soon, and a player that has seen a small one there would not see it
  if (Number.isFinite(toMs)) fill(toMs)
  return parts
}

/**
 * Where to go over to the small layer when the main one ends at `endMs`: at its keyframe right then, else at its last one
 * before, from which it goes on without a break, else at its next.
 * @param sinceMs the main one has pictures from then on, and some are to stay; undefined: it has none
 */
function entryOf(small: readonly PartSpan[], endMs: number, sinceMs: number | undefined): number | undefined {
  const after = small.findIndex((part) => part.keyframe === 1 && part.start_ms >= endMs)
  const next = after < 0 ? undefined : after
  if (next !== undefined && small[next]!.start_ms - endMs < shortestGapMs) return next
  let index = (next ?? small.length) - 1
  while (index >= 0 && small[index]!.start_ms > endMs) index -= 1
  if (index < 0 || small[index]!.end_ms <= endMs) return next
  while (index > 0 && small[index]!.keyframe === 0) index -= 1
  const tooEarly = sinceMs !== undefined && small[index]!.start_ms <= sinceMs
  return small[index]!.keyframe === 0 || tooEarly ? next : index
}

/** Takes away what is shown at `ms` and later. */
function leaveAt<T extends PartSpan>(parts: T[], ms: number): void {
  while (parts.length > 0 && parts.at(-1)!.start_ms >= ms) parts.pop()
  const last = parts.pop()
  if (last) parts.push(cut(last, ms))
}

function cut<T extends PartSpan>(part: T, untilMs: number): T {
  return part.end_ms <= untilMs ? part : { ...part, end_ms: untilMs, until_ms: untilMs }
}
