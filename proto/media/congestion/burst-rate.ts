/** Packets sent within this time of each other are one burst: their spacing at arrival is the link's doing, ms. */
const burstGapMs = 0.7
const leastPackets = 5
/** Feedback counts in steps of 250 µs: a shorter span says no more than "fast". */
const leastSpanMs = 0.25
/** The first of a burst must not have waited longer, ms: what waited with it would come faster than the link is. */
const unheldMs = 5
/** The fastest stretch of so many packets bounds the link from above, even where something stood still in between. */
const stretchPackets = 8

/**
 * Pictures leave in bursts: the rate at which one arrives is the rate of the link's narrowest place. Rates are bytes per ms,
 * 0 where nothing was seen since the last `take`.
 */
export class BurstRate {
  #packets = 0
  #bytes = 0
  #sentMs = 0
  #fromMs = 0
  #toMs = 0
  #unheld = false
  #stretch = 0
  #stretchBytes = 0
  #stretchFromMs = 0
  #rate = 0
  #most = 0
  #stretches = 0

  /** @param heldMs how much longer it was under way than the fastest */
  packet(sentMs: number, arrivalMs: number, bytes: number, heldMs: number): void {
    const gapMs = sentMs - this.#sentMs
    if (this.#packets === 0 || gapMs < 0 || gapMs > burstGapMs || arrivalMs < this.#toMs) {
      this.#tell()
      this.#packets = 1
      this.#bytes = 0
      this.#fromMs = arrivalMs
      this.#unheld = heldMs <= unheldMs
      this.#beginStretch(arrivalMs)
    } else {
      this.#packets++
      this.#bytes += bytes
      this.#stretchBytes += bytes
      this.#stretch++
      if (this.#stretch === stretchPackets) {
        this.#stretches++
        this.#most = Math.max(this.#most, this.#stretchBytes / Math.max(leastSpanMs, arrivalMs - this.#stretchFromMs))
        this.#beginStretch(arrivalMs)
      }
    }
    this.#sentMs = sentMs
    this.#toMs = arrivalMs
  }

  /**
   * What a feedback showed: `rate` of the fastest whole burst, `most` of the fastest of `stretches` within one. A single
   * stretch may be what a stall fell into.
   */
  take(): { rate: number; most: number; stretches: number } {
    this.#tell()
    const told = { rate: this.#rate, most: this.#most, stretches: this.#stretches }
    this.#rate = 0
    this.#most = 0
    this.#stretches = 0
    return told
  }

  reset(): void {
    this.#packets = 0
    this.#rate = 0
    this.#most = 0
    this.#stretches = 0
  }

  #beginStretch(arrivalMs: number): void {
    this.#stretch = 1
    this.#stretchBytes = 0
    this.#stretchFromMs = arrivalMs
  }

  #tell(): void {
    if (this.#packets < leastPackets || !this.#unheld) return
    const rate = this.#bytes / Math.max(leastSpanMs, this.#toMs - this.#fromMs)
    if (rate > this.#rate) this.#rate = rate
  }
}
