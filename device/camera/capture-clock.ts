import { TimestampUnwrapper } from '@porchlight/proto/media/rtp.ts'

/** A step between two packets that differs so much from their arrival is the camera's clock, not the network, ms. */
const jumpMs = 2_000
/** The least delay is looked for in windows of this length, ms. */
const windowMs = 5_000
/** How far the anchor may rise in one window: more than any quartz drifts (200 ppm = 1 ms), too little to see. */
const riseMs = 2
/** How far the anchor sinks at once when a packet comes earlier than any before, ms a packet. */
const sinkMs = 4
/** Beyond this, twice in a row, the anchor was wrong, not the network, and it steps, ms. */
const stepMs = 250
/** How fast the sound follows the camera's sender reports, ms a packet. */
const followMs = 2
/** Sender reports that differ more than this from the arrival are of a wrong clock (cameras boot in 1970), ms. */
const trustMs = 1_000

/**
 * Gives RTP timestamps a time on the device's clock: media time plus an anchor, which is the least arrival delay seen.
 * So the result has the smoothness of the camera's 90 kHz clock, follows its drift, and is neither moved by network
 * jitter nor by jumps of the timestamps. Times of pictures that are sent in decoding order may step back (B-frames).
 */
export class CaptureClock {
  readonly #ticksPerMs: number
  #unwrapper = new TimestampUnwrapper()
  #anchor: number | undefined
  #lastMedia = 0
  #lastArrival = 0
  #lastCapture = 0
  #windowStart = 0
  #windowLeast = Number.POSITIVE_INFINITY
  #tooEarly = false
  #report: { ntpMs: number; media: number } | undefined
  #followed = 0
  /** Pictures come in decoding order (B-frames): small steps back are then no jump of the clock. */
  reorders = false

  /** @param clockRate ticks a second */
  constructor(clockRate: number) {
    this.#ticksPerMs = clockRate / 1000
  }

  /**
   * @param timestamp uint32 RTP timestamp
   * @param arrivalMs device clock, ms since the Unix epoch
   * @param reference the camera's other stream: both are then aligned by their sender reports (lip sync)
   * @returns capture time, ms since the Unix epoch, with fractions
   */
  capture(timestamp: number, arrivalMs: number, reference?: CaptureClock): number {
    const media = this.#unwrapper.unwrap(timestamp) / this.#ticksPerMs
    if (this.#anchor === undefined) {
      this.#restart(media, arrivalMs, arrivalMs)
    } else {
      const step = media - this.#lastMedia
      const waited = arrivalMs - this.#lastArrival
      if (step < (this.reorders ? -jumpMs : 0) || (step > jumpMs && step - waited > jumpMs)) {
        // timestamps jumped: go on from the last capture time by what has passed here
        this.#restart(
          media,
          arrivalMs,
          Math.max(this.#lastCapture + 1, Math.min(arrivalMs, this.#lastCapture + Math.max(waited, 1))),
        )
      } else this.#observe(media, arrivalMs)
    }
    let capture = media + this.#anchor!
    if (reference !== undefined) capture += this.#follow(media, reference)
    if (media > this.#lastMedia && capture <= this.#lastCapture) capture = this.#lastCapture + 0.01
    this.#lastMedia = media
    this.#lastArrival = arrivalMs
    this.#lastCapture = capture
    return capture
  }

  /** Takes an RTCP sender report: the camera's own time `ntpMs` (ms, any epoch) at the RTP timestamp. */
  senderReport(ntpMs: number, timestamp: number): void {
    if (this.#anchor === undefined) return
    // near the newest packet; the unwrapper must not be moved by it
    const newest = Math.round(this.#lastMedia * this.#ticksPerMs)
    const ticks = newest + ((timestamp - newest) | 0)
    this.#report = { ntpMs, media: ticks / this.#ticksPerMs }
  }

  /** Device time minus the camera's own time, as the reports and the anchor have it; undefined before a report. */
  get #cameraOffset(): number | undefined {
    if (this.#report === undefined || this.#anchor === undefined) return undefined
    return this.#report.media + this.#anchor - this.#report.ntpMs
  }

  #follow(media: number, reference: CaptureClock): number {
    const offset = reference.#cameraOffset
    if (offset !== undefined && this.#report !== undefined) {
      const wanted = this.#report.ntpMs + (media - this.#report.media) + offset - (media + this.#anchor!)
      if (Math.abs(wanted) < trustMs) {
        const missing = wanted - this.#followed
        this.#followed += Math.max(-followMs, Math.min(followMs, missing))
      }
    }
    return this.#followed
  }

  #restart(media: number, arrivalMs: number, captureMs: number): void {
    this.#anchor = captureMs - media
    this.#report = undefined
    this.#windowStart = arrivalMs
    this.#windowLeast = Number.POSITIVE_INFINITY
    this.#lastMedia = media
  }

  #observe(media: number, arrivalMs: number): void {
    const early = arrivalMs - media - this.#anchor!
    // once: a picture that is sent ahead of those shown before it; a step then would show them before the first of all
    const tooEarly = early < (this.reorders ? -jumpMs : -stepMs)
    const isWrong = tooEarly && this.#tooEarly
    this.#tooEarly = tooEarly
    if (isWrong) this.#anchor! += early
    else if (early < 0) this.#anchor! += Math.max(early, -sinkMs)
    this.#windowLeast = Math.min(this.#windowLeast, early)
    if (arrivalMs - this.#windowStart < windowMs) return
    // nothing came without delay for a whole window: the camera's clock is slower, or was set
    if (this.#windowLeast > 0)
      this.#anchor! += this.#windowLeast > jumpMs ? this.#windowLeast : Math.min(this.#windowLeast, riseMs)
    this.#windowStart = arrivalMs
    this.#windowLeast = Number.POSITIVE_INFINITY
  }
}
