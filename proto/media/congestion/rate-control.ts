/** What is left of the acknowledged rate after overuse (draft-ietf-rmcat-gcc-02 §5.5: beta). */
const beta = 0.85
/** Growth a second while the end of the link is far. */
const growth = 1.08
/** The rate does not leave what is acknowledged behind by more than this factor, and 10 kbit/s. */
const mostAhead = 1.5
const aheadBytes = 1.25
const packetBytes = 1_200
/** Two answers to overuse are so far apart, ms. */
const againMs = 200
const longestStepMs = 1_000
/** Beyond so many deviations of what was seen at earlier overuse the link is another one. */
const deviations = 3
const capacityShare = 0.05
const leastVariance = 0.4
const mostVariance = 2.5
/** Of a byte per ms. */
const kbps = 8

/** Additive increase near the rate at which overuse was seen before, multiplicative far from it, decrease to what passed. */
export class RateControl {
  #capacity: number | undefined
  /** Of the capacity in kbit/s, divided by it. */
  #variance = leastVariance
  #decreasedMs = Number.NEGATIVE_INFINITY
  #steppedMs: number | undefined

  /**
   * Nothing stands against sending more.
   * @param acknowledged bytes per ms @param responseMs round trip with feedback @returns the new rate, not below `rate`
   */
  increase(rate: number, acknowledged: number | undefined, responseMs: number, nowMs: number): number {
    const stepMs = Math.max(0, Math.min(longestStepMs, nowMs - (this.#steppedMs ?? nowMs)))
    this.#steppedMs = nowMs
    if (acknowledged !== undefined && this.#capacity !== undefined && acknowledged > this.#bound(deviations)) {
      this.#capacity = undefined
    }
    const grown =
      this.#capacity === undefined || rate < this.#bound(-deviations)
        ? rate * growth ** (stepMs / 1000)
        : rate + (packetBytes * stepMs) / Math.max(100, responseMs) / 1000
    const most = acknowledged === undefined ? grown : acknowledged * mostAhead + aheadBytes
    return Math.max(rate, Math.min(grown, most))
  }

  /** Neither up nor down: the time that passes is not made up for later. */
  hold(nowMs: number): void {
    this.#steppedMs = nowMs
  }

  /** The link is overused. @returns the new rate, not above `rate` */
  decrease(rate: number, acknowledged: number | undefined, nowMs: number): number {
    this.hold(nowMs)
    const passed = acknowledged ?? rate
    if (nowMs - this.#decreasedMs < againMs && passed > rate / 2) return rate
    this.#decreasedMs = nowMs
    this.#learn(passed)
    return Math.min(rate, passed * beta)
  }

  #learn(passed: number): void {
    if (this.#capacity !== undefined && passed < this.#bound(-deviations)) this.#capacity = undefined
    const before = this.#capacity ?? passed
    const capacity = before + (passed - before) * capacityShare
    const error = (capacity - passed) * kbps
    const squared = (error * error) / Math.max(1, capacity * kbps)
    this.#capacity = capacity
    const variance = this.#variance + (squared - this.#variance) * capacityShare
    this.#variance = Math.max(leastVariance, Math.min(mostVariance, variance))
  }

  /** Bytes per ms. */
  #bound(times: number): number {
    const capacity = this.#capacity ?? 0
    return Math.max(0, capacity + (times * Math.sqrt(this.#variance * capacity * kbps)) / kbps)
  }
}
