import { wait } from '../link/wait.ts'

/** What is left to it where others take everything, bytes per ms: so that it ends some day. */
const leastBytesPerMs = 4
/** A burst is so long, ms. */
const burstMs = 250
/** What may pass is asked for again after so long a wait, ms. */
const mostWaitMs = 500

/**
 * Limits a byte rate: bursts up to a quarter of a second, then steadily; less where others need the uplink more. One user at
 * a time.
 */
export class TokenBucket {
  readonly #most: number
  readonly #spare: () => number | undefined
  readonly #now: () => number
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>
  #tokens: number
  #at: number

  /**
   * @param kbps kbit/s at most @param now monotonic or wall time, ms
   * @param spare what others leave of the uplink, bit/s; undefined: plenty
   */
  constructor(
    kbps: number,
    now: () => number,
    waitFor: (ms: number, signal: AbortSignal) => Promise<void> = wait,
    spare: () => number | undefined = () => undefined,
  ) {
    this.#most = kbps / 8
    this.#spare = spare
    this.#now = now
    this.#wait = waitFor
    this.#tokens = this.#most * burstMs
    this.#at = now()
  }

  /** Waits until `bytes` may be sent, or the signal aborts. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    this.#earn()
    this.#tokens -= bytes
    while (this.#tokens < 0 && !signal.aborted) {
      await this.#wait(Math.min(mostWaitMs, -this.#tokens / this.#bytesPerMs), signal)
      this.#earn()
    }
  }

  get #bytesPerMs(): number {
    const spare = this.#spare()
    if (spare === undefined) return this.#most
    return Math.min(this.#most, Math.max(leastBytesPerMs, spare / 8_000))
  }

  #earn(): void {
    const now = this.#now()
    const rate = this.#bytesPerMs
    // A clock that was set back gives nothing, one that jumped ahead gives one burst.
    this.#tokens = Math.min(rate * burstMs, this.#tokens + Math.max(0, now - this.#at) * rate)
    this.#at = now
  }
}
