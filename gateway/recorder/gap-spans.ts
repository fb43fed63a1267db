import type { ErrorCode } from '@porchlight/proto/errors.ts'
import type { GoneReason } from '@porchlight/proto/frames.ts'

/**
 * Why frames are not recorded: what the device said; that it was asked and did not say; or the error with which they were
 * not written while the device does not have them any more.
 */
export type GapReason = GoneReason | 'unanswered' | ErrorCode

/** Frames that will never come, both inclusive. */
export interface GapSpan {
  from: number
  to: number
  reason: string
  /** When that became known, ms. */
  at: number
}

/**
 * Adds a gap. Each frame is in one gap, under the reason that was known first; only silence is no reason once there is one.
 * @param gaps of one run, in order
 * @returns in order, and how many frames are new among them
 */
export function withGap(gaps: readonly GapSpan[], gap: GapSpan): { gaps: GapSpan[]; frames: number } {
  const { from, to, reason, at } = gap
  const all: GapSpan[] = []
  let frames = 0
  let next = from
  for (const known of gaps) {
    const low = Math.max(known.from, from)
    const high = Math.min(known.to, to)
    if (low > high) {
      all.push(known)
      continue
    }
    if (low > next) all.push({ from: next, to: low - 1, reason, at })
    frames += Math.max(0, low - next)
    next = high + 1
    if (known.reason !== 'unanswered') all.push(known)
    else all.push(...outside(known, low, high), { ...known, from: low, to: high, reason })
  }
  if (next <= to) all.push({ from: next, to, reason, at })
  return { gaps: merged(all), frames: frames + Math.max(0, to - next + 1) }
}

/** Takes frames out that came after all. @returns what is left, in order, and how many frames were taken out */
export function withoutFrames(gaps: readonly GapSpan[], from: number, to: number): { gaps: GapSpan[]; frames: number } {
  let frames = 0
  const left = gaps.flatMap((gap) => {
    const low = Math.max(gap.from, from)
    const high = Math.min(gap.to, to)
    if (low > high) return [gap]
    frames += high - low + 1
    return outside(gap, low, high)
  })
  return { gaps: left, frames }
}

function outside(gap: GapSpan, low: number, high: number): GapSpan[] {
  const rest: GapSpan[] = []
  if (gap.from < low) rest.push({ ...gap, to: low - 1 })
  if (gap.to > high) rest.push({ ...gap, from: high + 1 })
  return rest
}

/** Neighbours with one reason become one. */
function merged(gaps: readonly GapSpan[]): GapSpan[] {
  const result: GapSpan[] = []
  for (const gap of gaps.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last === undefined || last.to + 1 !== gap.from || last.reason !== gap.reason) result.push({ ...gap })
    else {
      last.to = gap.to
      last.at = Math.max(last.at, gap.at)
    }
  }
  return result
}
