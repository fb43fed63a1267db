/**
 * Lower goes first: sound is small and missed at once, a repetition is older than the picture behind it, and the small
 * layer is the one that a poor link still bears.
 */
export type Priority = 0 | 1 | 2 | 3
export const priority = { audio: 0, repeat: 1, sub: 2, video: 3 } as const satisfies Record<string, Priority>

/** What goes first, first. */
export const priorities: readonly Priority[] = Object.values(priority)

export interface PacerOptions {
  /** Bits per second. */
  rate: number
  /** Bytes that may leave at once after a pause: an ordinary picture is not held up. */
  burstBytes: number
  /** Waiting bytes beyond which `push` refuses. */
  maxBytes: number
  /** ms, monotone. */
  now: () => number
}

interface Waiting<T> {
  item: T
  bytes: number
}

/**
 * Lets packets leave no faster than a rate (token bucket), sound first. It decides only; who owns it sends and keeps
 * the timer.
 */
export class Pacer<T> {
  readonly #options: PacerOptions
  readonly #queues: Record<Priority, Waiting<T>[]> = [[], [], [], []]
  readonly #heads: Record<Priority, number> = [0, 0, 0, 0]
  #budget: number
  #at: number
  #rate: number
  #bytes = 0

  constructor(options: PacerOptions) {
    this.#options = options
    this.#rate = options.rate
    this.#budget = options.burstBytes
    this.#at = options.now()
  }

  /** Bytes waiting. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bits per second. */
  get rate(): number {
    return this.#rate
  }

  set rate(rate: number) {
    this.#refill()
    this.#rate = rate
  }

  /** False where too much waits already: the item is not taken. */
  push(item: T, bytes: number, at: Priority): boolean {
    if (this.#bytes + bytes > this.#options.maxBytes) return false
    this.#queues[at].push({ item, bytes })
    this.#bytes += bytes
    return true
  }

  /** The next item that may leave now. */
  take(): T | undefined {
    this.#refill()
    if (this.#budget <= 0) return undefined
    for (const at of priorities) {
      const queue = this.#queues[at]
      const waiting = queue[this.#heads[at]]
      if (waiting === undefined) continue
      this.#heads[at]++
      if (this.#heads[at] === queue.length) {
        queue.length = 0
        this.#heads[at] = 0
      }
      this.#budget -= waiting.bytes
      this.#bytes -= waiting.bytes
      return waiting.item
    }
    return undefined
  }

  /** ms until `take` gives the next item; undefined where nothing waits. */
  waitMs(): number | undefined {
    if (this.#bytes === 0) return undefined
    this.#refill()
    return this.#budget > 0 ? 0 : ((1 - this.#budget) * 8_000) / this.#rate
  }

  /** Gives up everything that waits at a priority. */
  clear(at: Priority): void {
    for (const waiting of this.#queues[at].slice(this.#heads[at])) this.#bytes -= waiting.bytes
    this.#queues[at].length = 0
    this.#heads[at] = 0
  }

  #refill(): void {
    const now = this.#options.now()
    const earned = ((now - this.#at) * this.#rate) / 8_000
    this.#at = now
    this.#budget = Math.min(this.#options.burstBytes, this.#budget + earned)
  }
}
