import { wait } from '../link/wait.ts'

/** Limits a byte rate: bursts up to a quarter of a second, then steadily. One user at a time. */
export class TokenBucket {
  readonly #bytesPerMs: number
  readonly #burst: number
  readonly #now: () => number
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>
  #tokens: number
  #at: number

  /** @param kbps kbit/s @param now monotonic or wall time, ms */
  constructor(kbps: number, now: () => number, waitFor: (ms: number, signal: AbortSignal) => Promise<void> = wait) {
    this.#bytesPerMs = kbps / 8
    this.#burst = this.#bytesPerMs * 250
    this.#now = now
    this.#wait = waitFor
    this.#tokens = this.#burst
    this.#at = now()
  }

  /** Waits until `bytes` may be sent, or the signal aborts. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.#now()
    // A clock that was set back gives nothing, one that jumped ahead gives one burst.
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#at) * this.#bytesPerMs)
    this.#at = now
    this.#tokens -= bytes
    if (this.#tokens < 0) await this.#wait(-this.#tokens / this.#bytesPerMs, signal)
  }
}
