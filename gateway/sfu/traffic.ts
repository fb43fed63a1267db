/** The least span of which a bitrate is told, ms. */
const spanMs = 1_000

/** What one session carried, in plain numbers: counting a packet makes no garbage. */
export class Traffic {
  /** RTP packets. */
  packets = 0
  nacks = 0
  plis = 0
  firs = 0
  #bytes = 0
  #sinceMs: number | undefined
  #bitrate: number | undefined

  /** One RTP packet. @param bytes headers included */
  packet(bytes: number, nowMs: number): void {
    this.packets++
    this.#sinceMs ??= nowMs
    const span = nowMs - this.#sinceMs
    if (span >= spanMs) {
      this.#bitrate = (this.#bytes * 8_000) / span
      this.#bytes = 0
      this.#sinceMs = nowMs
    }
    this.#bytes += bytes
  }

  /** Bit/s over the last second, or over the time without a packet where that was longer; undefined in the first one. */
  bitrate(nowMs: number): number | undefined {
    if (this.#sinceMs === undefined) return undefined
    const span = nowMs - this.#sinceMs
    return span >= spanMs ? (this.#bytes * 8_000) / span : this.#bitrate
  }
}
