import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'

/** No codec shows a picture so long before one that was decoded earlier: the clock was set back, ms. */
export const backMs = 2_000
/** A camera that sends nothing for so long and then goes on in the middle of a group: the clock was set forward, ms. */
export const aheadMs = 60_000
/** A picture is shown so long until it is known better, ms. */
const guessedFrameMs = 40
const longestFrameMs = 1_000

/**
 * Clocks of cameras are set while they record. A file and its groups of pictures keep the old time: only the next keyframe
 * takes the new one, and a new file begins with it. So no picture is shown for hours, and no file begins undecodable.
 */
export class SteadyTimes {
  #frame = 0
  #newestMs: number | undefined
  /** The newest picture before the newest: what is reordered (B-frames) is still shown after it. */
  #settledMs = 0
  #frameMs = guessedFrameMs
  /** What is added to times until the next keyframe, ms. */
  #offsetMs = 0

  /** Capture time of the newest picture so far, ms. */
  get newestMs(): number | undefined {
    return this.#newestMs
  }

  /** Whether the clock was set back with this keyframe: it follows in number, and is shown no later. */
  isSetBack({ keyframe, frame, captureMs }: AccessUnit): boolean {
    return keyframe && this.#newestMs !== undefined && frame > this.#frame && captureMs <= this.#newestMs
  }

  /** The picture with the time it is to be recorded under. */
  unit(unit: AccessUnit): AccessUnit {
    const newest = this.#newestMs
    const begins = newest === undefined || unit.frame <= this.#frame || this.isSetBack(unit)
    const frames = begins ? 1 : unit.frame - this.#frame
    this.#frame = unit.frame
    if (begins || unit.keyframe) {
      // what is decoded after an H.265 keyframe may be shown before it, and so may what follows a beginning in the middle
      const earlier = unit.codec === 'h265' || !unit.keyframe ? backMs : 0
      this.#settledMs = begins ? unit.captureMs - earlier : newest
      this.#newestMs = unit.captureMs
      this.#offsetMs = 0
      return unit
    }
    if (!this.#follows(unit.captureMs + this.#offsetMs, frames))
      this.#offsetMs = newest + frames * this.#frameMs - unit.captureMs
    const captureMs = unit.captureMs + this.#offsetMs
    if (captureMs > newest) {
      if (frames === 1 && captureMs - newest < longestFrameMs) this.#frameMs = captureMs - newest
      this.#settledMs = newest
      this.#newestMs = captureMs
    }
    return this.#offsetMs === 0 ? unit : { ...unit, captureMs }
  }

  #follows(captureMs: number, frames: number): boolean {
    const newest = this.#newestMs!
    const early = captureMs <= this.#settledMs || captureMs < newest - backMs
    return !early && captureMs <= newest + aheadMs + frames * longestFrameMs
  }

  /** Sound goes with the pictures of its time, whichever of the two was first to take the new one. */
  audioFrame(frame: AudioFrame): AudioFrame {
    const newest = this.#newestMs
    if (this.#offsetMs === 0 || newest === undefined) return frame
    const captureMs = frame.captureMs + this.#offsetMs
    return Math.abs(captureMs - newest) < Math.abs(frame.captureMs - newest) ? { ...frame, captureMs } : frame
  }
}
