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
  #frameMs = guessedFrameMs
  /** What is added to times until the next keyframe, ms. */
  #offsetMs = 0

  /** Capture time of the newest picture so far, ms. */
  get newestMs(): number | undefined {
    return this.#newestMs
  }

  /** The picture with the time it is to be recorded under. */
  unit(unit: AccessUnit): AccessUnit {
    const newest = this.#newestMs
    const frames = Math.max(1, unit.frame - this.#frame)
    if (unit.keyframe || newest === undefined) this.#offsetMs = 0
    else {
      const captureMs = unit.captureMs + this.#offsetMs
      const stepped = captureMs < newest - backMs || captureMs > newest + aheadMs + frames * longestFrameMs
      if (stepped) this.#offsetMs = newest + frames * this.#frameMs - unit.captureMs
    }
    const captureMs = unit.captureMs + this.#offsetMs
    const step = newest === undefined ? 0 : captureMs - newest
    if (frames === 1 && step > 0 && step < longestFrameMs) this.#frameMs = step
    this.#frame = unit.frame
    this.#newestMs = unit.keyframe || newest === undefined ? captureMs : Math.max(newest, captureMs)
    return this.#offsetMs === 0 ? unit : { ...unit, captureMs }
  }

  /** Sound goes with the pictures of its time, whichever of the two was first to take the new one. */
  audioFrame(frame: AudioFrame): AudioFrame {
    const newest = this.#newestMs
    if (this.#offsetMs === 0 || newest === undefined) return frame
    const captureMs = frame.captureMs + this.#offsetMs
    return Math.abs(captureMs - newest) < Math.abs(frame.captureMs - newest) ? { ...frame, captureMs } : frame
  }
}
