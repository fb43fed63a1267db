const windowMs = 1_000

/** How much a stream of the camera brings, by its own capture times: what is kept comes all at once and is no faster. */
export class StreamRate {
  #sinceMs: number | undefined
  #bytes = 0
  #rate = 0

  /** Mean of the last seconds, bytes per ms; 0 in the first one. */
  get bytesPerMs(): number {
    return this.#rate
  }

  add(bytes: number, captureMs: number): void {
    this.#sinceMs ??= captureMs
    const spanMs = captureMs - this.#sinceMs
    if (spanMs < 0 || spanMs > 10 * windowMs) {
      // Another time line, or a pause.
      this.#sinceMs = captureMs
      this.#bytes = 0
    } else if (spanMs >= windowMs) {
      const rate = this.#bytes / spanMs
      this.#rate = this.#rate === 0 ? rate : this.#rate + (rate - this.#rate) / 3
      this.#sinceMs = captureMs
      this.#bytes = 0
    }
    this.#bytes += bytes
  }
}
