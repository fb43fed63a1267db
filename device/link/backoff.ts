/** Longest first wait, ms. */
const firstMs = 500

/**
 * Exponential back-off with full jitter: a random wait between 0 and `min(max, first × 2^attempt)`, so that a
 * neighbourhood of devices does not knock all at once when its gateway is back.
 */
export class Backoff {
  readonly #maxMs: number
  readonly #random: () => number
  #attempt = 0

  /** @param random uniform in [0, 1) */
  constructor(maxMs: number, random: () => number) {
    this.#maxMs = maxMs
    this.#random = random
  }

  /** The next wait, ms. */
  next(): number {
    const ceiling = Math.min(this.#maxMs, firstMs * 2 ** Math.min(this.#attempt, 30))
    this.#attempt += 1
    return this.#random() * ceiling
  }

  /** After a success that lasted. */
  reset(): void {
    this.#attempt = 0
  }
}
