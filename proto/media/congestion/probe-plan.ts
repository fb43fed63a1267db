/** A link is tried so often, ms … */
const everyMs = 1_000
/** … and at once again after a probe that raised the rate so much; each tries so much more than is known … */
const raise = 1.2
const step = 2
/** … but not more than this beyond what is needed. */
const beyond = 1.1

/** When to try a link for more than it is known to bear, and with what. Rates are bytes per ms. */
export class ProbePlan {
  #atMs = Number.NEGATIVE_INFINITY
  #rate = 0

  /**
   * @param rate what the link is believed to bear @param needed what one would like it to bear
   * @returns the rate to try now; undefined: none
   */
  next(rate: number, needed: number, nowMs: number): number | undefined {
    if (rate >= needed || (rate < this.#rate * raise && nowMs - this.#atMs < everyMs)) return undefined
    this.#atMs = nowMs
    this.#rate = rate
    return Math.min(rate * step, needed * beyond)
  }
}
