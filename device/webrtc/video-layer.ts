import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import type { Priority } from './pacer.ts'
import type { SendStream } from './send-stream.ts'
import { StreamRate } from './stream-rate.ts'

/** Keyframes are asked of the camera no more often than this, ms. */
const keyframeGapMs = 500

export interface LayerListener {
  /** Number of the first picture sent. Once. */
  firstFrame(frame: number): void
  keyframeWanted(): void
  /** Pictures `from` … `to` (inclusive) are not sent. */
  dropped(from: number, to: number): void
}

/** One layer of the picture on its way out: which pictures go, and which are given up until the next keyframe. */
export class VideoLayer {
  readonly mid: string
  readonly priority: Priority
  readonly stream: SendStream
  readonly #on: LayerListener
  #lastFrame: number | undefined
  /** The newest picture that has left whole. */
  #wholeFrame: number | undefined
  #first = true
  /** Nothing decodes before the next keyframe. */
  #needsKeyframe = true
  #gap: { from: number; to: number } | undefined
  #askedAt = Number.NEGATIVE_INFINITY
  #leftOut = false
  readonly #rate = new StreamRate()
  frames = 0
  dropped = 0

  constructor(mid: string, priority: Priority, stream: SendStream, on: LayerListener) {
    this.mid = mid
    this.priority = priority
    this.stream = stream
    this.#on = on
  }

  /** The packets of one picture, in decoding order; none where it was sent already, or is not to be sent. */
  take(unit: AccessUnit): Uint8Array[] {
    if (!isNewer(unit.frame, this.#lastFrame)) return []
    this.#lastFrame = unit.frame
    this.#measure(unit)
    if (this.#leftOut) {
      // Group by group, while the pictures are still kept.
      if (unit.keyframe) this.#tellGap()
      if (!this.#first) this.#drop(unit.frame)
      return []
    }
    if (unit.keyframe) this.#needsKeyframe = false
    // B-pictures do not belong in WebRTC (design.md), and nothing refers to them.
    if (this.#needsKeyframe || !unit.reference) {
      if (!this.#first) this.#drop(unit.frame)
      return []
    }
    this.#tellGap()
    if (this.#first) {
      this.#first = false
      this.#on.firstFrame(unit.frame)
    }
    this.frames++
    return this.stream.video(unit)
  }

  /** What the camera brings of it, bytes per ms; 0 in the first second. */
  get bytesPerMs(): number {
    return this.#rate.bytesPerMs
  }

  get leftOut(): boolean {
    return this.#leftOut
  }

  /** The uplink does not bear it: what waits is given up, and nothing goes until `comeBack`. */
  leaveOut(): void {
    if (this.#leftOut) return
    this.#leftOut = true
    if (this.#lastFrame !== undefined && !this.#first && !this.#needsKeyframe) this.#giveUp(this.#lastFrame)
  }

  /** It goes again, from the next keyframe on. */
  comeBack(): void {
    if (!this.#leftOut) return
    this.#leftOut = false
    this.#needsKeyframe = true
    this.askKeyframe()
  }

  /** The last packet of a picture has left. */
  left(frame: number): void {
    this.#wholeFrame = frame
  }

  /** The link cannot bear it: what waited, up to `frame`, was given up, and what follows is until the next keyframe. */
  giveUp(frame: number): void {
    this.#needsKeyframe = true
    this.#giveUp(frame)
    this.askKeyframe()
  }

  askKeyframe(): void {
    const at = performance.now()
    if (at - this.#askedAt < keyframeGapMs) return
    this.#askedAt = at
    this.#on.keyframeWanted()
  }

  close(): void {
    this.#tellGap()
    this.stream.close()
  }

  #giveUp(frame: number): void {
    if (frame === this.#wholeFrame) return
    const from = this.#wholeFrame === undefined ? frame : (this.#wholeFrame + 1) >>> 0
    this.dropped += ((frame - from) >>> 0) + 1
    this.#gap = { from, to: frame }
  }

  #measure(unit: AccessUnit): void {
    let bytes = 0
    for (const nal of unit.data) bytes += nal.length
    this.#rate.add(bytes, unit.captureMs)
  }

  #drop(frame: number): void {
    this.dropped++
    if (this.#gap === undefined) this.#gap = { from: frame, to: frame }
    else this.#gap.to = frame
  }

  #tellGap(): void {
    const gap = this.#gap
    this.#gap = undefined
    if (gap) this.#on.dropped(gap.from, gap.to)
  }
}

/** Whether a uint32 number comes after another, over a wrap too. */
export function isNewer(number: number, last: number | undefined): boolean {
  return last === undefined || ((number - last) | 0) > 0
}
