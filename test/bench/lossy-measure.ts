import type { ShownFrame } from './whep-page.ts'

/** A picture that stands longer than this is frozen, ms. */
export const freezeMs = 300
/** Without a freeze for so long it moves, ms. */
const steadyMs = 2_000

/** How often the picture stood still between two moments. @param frames in order of time */
export function freezes(frames: readonly ShownFrame[], fromMs: number, toMs: number): number {
  return standstills(frames, fromMs, toMs).length
}

/**
 * From a moment on, until the picture moves and goes on moving.
 * @returns ms; null: it did not before `toMs`
 */
export function movingAgain(frames: readonly ShownFrame[], fromMs: number, toMs: number): number | null {
  const last = standstills(frames, fromMs, toMs).findLast(({ beganMs }) => beganMs >= fromMs - freezeMs)
  if (!last) return 0
  // A standstill that lasts to the end, or ends just before it, says nothing of what comes.
  return last.endedMs + steadyMs > toMs ? null : last.endedMs - fromMs
}

/** From a moment on, until pictures of a width are shown. @returns ms; null: none was before `toMs` */
export function widthAgain(frames: readonly ShownFrame[], width: number, fromMs: number, toMs: number): number | null {
  const first = frames.find(({ atMs, width: shown }) => atMs >= fromMs && atMs < toMs && shown === width)
  return first ? first.atMs - fromMs : null
}

function standstills(frames: readonly ShownFrame[], fromMs: number, toMs: number) {
  const before = frames.findLast(({ atMs }) => atMs < fromMs)?.atMs ?? fromMs
  const times = [before, ...frames.map(({ atMs }) => atMs).filter((atMs) => atMs >= fromMs && atMs < toMs), toMs]
  return times.flatMap((endedMs, index) => {
    const beganMs = times[index - 1] ?? endedMs
    return endedMs - beganMs > freezeMs ? [{ beganMs, endedMs }] : []
  })
}
