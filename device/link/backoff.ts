import { backoff } from '@porchlight/proto/backoff.ts'

/** Counts the tries of one thing and says how long to wait before the next (proto/backoff.ts). */
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
    return backoff(this.#attempt++, this.#random, undefined, this.#maxMs)
  }

  /** After a success that lasted. */
  reset(): void {
    this.#attempt = 0
  }
}
