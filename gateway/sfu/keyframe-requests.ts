/** A camera is asked for a keyframe no more often than this, ms. */
const gapMs = 500

/** Asks for keyframes of one line: requests that come in quick succession become one. */
export class KeyframeRequests {
  readonly #ask: () => void
  #askedMs = Number.NEGATIVE_INFINITY
  #wanted = false

  constructor(ask: () => void) {
    this.#ask = ask
  }

  /** @param nowMs monotone */
  request(nowMs: number): void {
    this.#wanted = nowMs - this.#askedMs < gapMs
    if (this.#wanted) return
    this.#askedMs = nowMs
    this.#ask()
  }

  /** To be called now and then: what was asked for too soon is asked for now. */
  tick(nowMs: number): void {
    if (this.#wanted) this.request(nowMs)
  }
}
