/** A probe is so many packets at least … */
const leastPackets = 5
/** … and so long, ms. */
const leastMs = 25
/** This share of a probe must have arrived for a result. */
const leastShare = 0.8
/** Arriving faster than this many times the sending is a bunch that was held back, and says nothing. */
const mostRatio = 2
/** Arriving slower than this share of the sending, the link's end was reached; then a little less than it is taken. */
const fullRatio = 0.9
const fullShare = 0.95
/** Without a result after so long there is none, ms. */
const patienceMs = 2_000
const meanPacket = 1_200

export interface ProbeResult {
  /** Bytes per ms that passed. */
  rate: number
  /** The end of the link was reached. */
  full: boolean
}

/** A cluster of packets sent at a rate above the estimate, and the rate at which it arrived (draft-ietf-rmcat-gcc-02 §5.5 leaves the way open). */
export class Probe {
  readonly id: number
  /** Bytes per ms. */
  readonly rate: number
  readonly #bytes: number
  readonly #beganMs: number
  #sent = 0
  #sentPackets = 0
  #firstSentMs = Number.POSITIVE_INFINITY
  #lastSentMs = Number.NEGATIVE_INFINITY
  #firstArrivalMs = Number.POSITIVE_INFINITY
  #lastArrivalMs = Number.NEGATIVE_INFINITY
  #firstBytes = 0
  #lastBytes = 0
  #arrived = 0
  #arrivedPackets = 0

  /** @param id not 0 @param rate bytes per ms, above 0 */
  constructor(id: number, rate: number, nowMs: number) {
    this.id = id
    this.rate = rate
    this.#bytes = Math.max(leastPackets * meanPacket, rate * leastMs)
    this.#beganMs = nowMs
  }

  /** All of it has left. */
  get whole(): boolean {
    return this.#sent >= this.#bytes && this.#sentPackets >= leastPackets
  }

  /** Bytes that should leave now. */
  due(nowMs: number): number {
    return this.whole ? 0 : (nowMs - this.#beganMs) * this.rate + meanPacket - this.#sent
  }

  sent(bytes: number): void {
    this.#sent += bytes
    this.#sentPackets++
  }

  arrived(sentMs: number, arrivalMs: number, bytes: number): void {
    this.#arrived += bytes
    this.#arrivedPackets++
    if (sentMs < this.#firstSentMs) this.#firstSentMs = sentMs
    if (sentMs >= this.#lastSentMs) {
      this.#lastSentMs = sentMs
      this.#lastBytes = bytes
    }
    if (arrivalMs < this.#firstArrivalMs) {
      this.#firstArrivalMs = arrivalMs
      this.#firstBytes = bytes
    }
    if (arrivalMs > this.#lastArrivalMs) this.#lastArrivalMs = arrivalMs
  }

  /** Too old for a result. */
  over(nowMs: number): boolean {
    return nowMs - this.#beganMs > patienceMs
  }

  /** undefined: not enough has come yet; `rate` 0: what came says nothing. */
  get result(): ProbeResult | undefined {
    if (!this.whole || this.#arrived < this.#sent * leastShare || this.#arrivedPackets < leastPackets - 1)
      return undefined
    const sentSpanMs = this.#lastSentMs - this.#firstSentMs
    const arrivalSpanMs = this.#lastArrivalMs - this.#firstArrivalMs
    if (sentSpanMs <= 0 || arrivalSpanMs <= 0) return { rate: 0, full: false }
    const sentRate = (this.#arrived - this.#lastBytes) / sentSpanMs
    const arrivalRate = (this.#arrived - this.#firstBytes) / arrivalSpanMs
    if (arrivalRate > sentRate * mostRatio) return { rate: 0, full: false }
    const full = arrivalRate < sentRate * fullRatio
    return { rate: full ? arrivalRate * fullShare : Math.min(sentRate, arrivalRate), full }
  }
}
