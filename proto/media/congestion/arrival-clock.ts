/** Times of transport-wide feedback come round after 2^24 × 64 ms. */
const roundUs = 2 ** 24 * 64_000
/** A step of this much between sending and arrival is another clock and not the link, ms. */
const leapMs = 10_000

/** Puts the receiver's times on one line, in ms. */
export class ArrivalClock {
  #lastUs: number | undefined
  #line = 0
  #delayMs: number | undefined
  #leapt = false

  /** The last time was not of the same clock as those before it. */
  get leapt(): boolean {
    return this.#leapt
  }

  /** @param atUs as told, modulo 2^24 × 64 ms @param sentMs on our clock @returns ms on the receiver's clock, from any origin */
  ms(atUs: number, sentMs: number): number {
    const stepUs = (atUs - (this.#lastUs ?? atUs)) % roundUs
    this.#lastUs = atUs
    this.#line += stepUs > roundUs / 2 ? stepUs - roundUs : stepUs < -roundUs / 2 ? stepUs + roundUs : stepUs
    const atMs = this.#line / 1000
    const delayMs = atMs - sentMs
    this.#leapt = this.#delayMs !== undefined && Math.abs(delayMs - this.#delayMs) > leapMs
    this.#delayMs = delayMs
    return atMs
  }
}
