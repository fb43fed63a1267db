/** How fast a too early estimate is given up, ms per second: covers clock drift and a camera that slows down. */
const relaxMsPerSecond = 0.5

/**
 * Ties the RTP timestamps of one line to our clock (when did a moment reach us) and to the camera's (when was it captured).
 */
export class LineClock {
  readonly #clockRate: number
  readonly #wallNow: () => number
  /** Largest seen of (RTP time − arrival), ms: the packet that came with the least delay. */
  #lead: number | undefined
  #leadAtMs = 0
  #anchor: { timestamp: number; captureMs: number; exact: boolean } | undefined

  /** @param wallNow ms since the Unix epoch; stands for the capture time until the camera says its own */
  constructor(clockRate: number, wallNow: () => number) {
    this.#clockRate = clockRate
    this.#wallNow = wallNow
  }

  /** A packet of `timestamp` (unwrapped ticks) arrived. */
  arrived(timestamp: number, nowMs: number): void {
    const lead = this.#toMs(timestamp) - nowMs
    if (this.#lead !== undefined) {
      this.#lead -= ((nowMs - this.#leadAtMs) / 1000) * relaxMsPerSecond
    }
    this.#leadAtMs = nowMs
    // A leap of more than half a minute is another time line, not an early packet.
    if (this.#lead === undefined || lead > this.#lead || lead < this.#lead - 30_000) this.#lead = lead
    if (!this.#anchor) this.#anchor = { timestamp, captureMs: this.#wallNow(), exact: false }
  }

  /** The camera's own word on when `timestamp` was captured (abs-capture-time, or a sender report's NTP time). */
  captured(timestamp: number, captureMs: number): void {
    this.#anchor = { timestamp, captureMs, exact: true }
  }

  get ready(): boolean {
    return this.#lead !== undefined
  }

  /** Timestamp that a packet would carry that was captured so as to arrive right now, in ticks (may have a fraction). */
  live(nowMs: number): number {
    return ((nowMs + (this.#lead ?? 0)) / 1000) * this.#clockRate
  }

  /** Capture time of a timestamp, ms since the Unix epoch. Before anything is known: 0. */
  captureMs(timestamp: number): number {
    if (!this.#anchor) return 0
    return this.#anchor.captureMs + ((timestamp - this.#anchor.timestamp) / this.#clockRate) * 1000
  }

  /** Timestamp of a capture time (ms since the Unix epoch), in ticks (may have a fraction). Before anything is known: 0. */
  timestampAt(captureMs: number): number {
    if (!this.#anchor) return 0
    return this.#anchor.timestamp + ((captureMs - this.#anchor.captureMs) / 1000) * this.#clockRate
  }

  /** Whether capture times are the camera's own and not guessed from arrival. */
  get exact(): boolean {
    return this.#anchor?.exact ?? false
  }

  #toMs(timestamp: number): number {
    return (timestamp / this.#clockRate) * 1000
  }
}
