/**
 * The rules of the squeezed group of pictures (no state, no clock):
 * - every frame that is sent late carries the time of its sending, so that the receiver sees pictures that are fresh and
 *   evenly delayed, and plays them as fast as they come;
 * - times strictly grow, and the natural time comes back with the first frame that is not late any more;
 * - only what drains before the next keyframe is squeezed; else the keyframe alone, then a jump to the next.
 */

/** Least distance of two squeezed frames, in ticks of 90 kHz. */
export const leastStep = 9

export interface FrameTime {
  /** What the frame's timestamp would be without squeezing, unwrapped ticks. */
  natural: number
  /** The timestamp of a frame that is captured so as to be sent at this moment. */
  live: number
  /** Timestamp given to the frame before; undefined for the first. */
  previous: number | undefined
  /** Whether frames are being sent late on purpose (a join, a jump not yet caught up). */
  squeezing: boolean
  /** No further frame waits behind this one. */
  last: boolean
}

/** @returns the timestamp to send, and whether squeezing goes on with the next frame */
export function squeezedTimestamp(frame: FrameTime): { timestamp: number; squeezing: boolean } {
  const { natural, live, previous } = frame
  const floor = previous === undefined ? Number.NEGATIVE_INFINITY : previous + leastStep
  if (!frame.squeezing) {
    // Pictures out of display order keep their own times: nothing is behind the floor without squeezing.
    return { timestamp: natural, squeezing: false }
  }
  if (frame.last && natural >= floor) return { timestamp: natural, squeezing: false }
  return { timestamp: Math.max(natural, Math.floor(live), floor), squeezing: true }
}

export interface Backlog {
  /** Bytes from the cursor to the newest packet. */
  bytes: number
  /** What the link is believed to bear, bytes per ms. */
  rate: number
  /** What the camera sends, bytes per ms. */
  streamRate: number
  /** Whether the link may well bear more than `rate`. */
  probing: boolean
  /** A keyframe newer than the cursor is there already. */
  newerKeyframe: boolean
  /** Bytes from the cursor to that keyframe. */
  bytesToKeyframe: number
  /** Expected time to the next keyframe, ms. */
  msToNextKeyframe: number
}

/** A backlog that drains in this time is not worth a jump, ms. */
const toleratedMs = 60
/** Where nothing newer is there yet, so much of a backlog is borne before pictures are left out: estimates dip, ms. */
const dipMs = 250
/** Where the link bears this many times the stream, running fast towards the keyframe disturbs nothing. */
const plenty = 2

/**
 * What to do at the beginning of a frame that is late.
 * - `send`: go on, it drains in time
 * - `jump`: to the newer keyframe that is there
 * - `wait`: leave the rest of this group out, go on with the next keyframe
 */
export function decideBacklog(backlog: Backlog): 'send' | 'jump' | 'wait' {
  const rate = backlog.probing ? backlog.rate * 4 : backlog.rate
  if (backlog.newerKeyframe) {
    return backlog.bytesToKeyframe / rate > toleratedMs ? 'jump' : 'send'
  }
  if (backlog.bytes / rate <= dipMs) return 'send'
  const spare = rate - backlog.streamRate
  const drainMs = spare > 0 ? backlog.bytes / spare : Number.POSITIVE_INFINITY
  if (drainMs <= Math.max(toleratedMs, backlog.msToNextKeyframe)) return 'send'
  return rate >= backlog.streamRate * plenty ? 'send' : 'wait'
}
