/** What may leave at once at the very beginning, bytes: about one keyframe. */
const firstBurst = 64_000
/** What may leave at once later: what a late timer has missed, ms … */
const burstMs = 12
/** … and at most, bytes: sockets hold about 200 KB. */
const mostBurst = 96_000
const leastBurst = 6_000

/** Spreads what is sent to what the link is believed to bear: a token bucket that begins with one keyframe's worth. */
export class Pacer {
  #tokens = firstBurst
  #atMs: number | undefined

  /** Bytes that may leave now. @param rate bytes per ms */
  budget(nowMs: number, rate: number): number {
    if (this.#atMs !== undefined) {
      const most = Math.max(leastBurst, Math.min(mostBurst, rate * burstMs))
      const earned = this.#tokens + (nowMs - this.#atMs) * rate
      // What the first burst has not used runs out as time passes, not at once.
      this.#tokens = Math.min(earned, Math.max(most, this.#tokens))
    }
    this.#atMs = nowMs
    return this.#tokens
  }

  /** May go below zero: sound is never held back, the picture then waits. */
  spend(bytes: number): void {
    this.#tokens -= bytes
  }
}
