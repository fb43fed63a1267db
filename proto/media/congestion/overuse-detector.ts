export type Usage = 'overuse' | 'normal' | 'underuse'

const firstThreshold = 12.5
const leastThreshold = 6
const mostThreshold = 600
/** How fast the threshold (gamma) follows the trend up and down (draft-ietf-rmcat-gcc-02 §5.4), a ms. */
const riseGain = 0.0087
const fallGain = 0.039
/** A trend further beyond the threshold is a spike that the threshold does not follow. */
const mostBeyond = 15
const longestStepMs = 100
/** Overuse is told after so long above the threshold, ms. */
const overuseMs = 10

/** Compares the trend of the delay with a threshold that adapts to what is usual on this link. */
export class OveruseDetector {
  #usage: Usage = 'normal'
  #threshold = firstThreshold
  #updatedMs: number | undefined
  #overMs = 0
  #overs = 0
  #trend = 0

  get usage(): Usage {
    return this.#usage
  }

  /** @param trend of the trend line @param sentDeltaMs time that it stands for */
  update(trend: number, sentDeltaMs: number, arrivalMs: number): Usage {
    if (trend > this.#threshold) {
      this.#overMs += this.#overs === 0 ? sentDeltaMs / 2 : sentDeltaMs
      this.#overs++
      if (this.#overMs > overuseMs && this.#overs > 1 && trend >= this.#trend) this.#usage = 'overuse'
    } else {
      this.#overMs = 0
      this.#overs = 0
      this.#usage = trend < -this.#threshold ? 'underuse' : 'normal'
    }
    this.#trend = trend
    this.#adapt(Math.abs(trend), arrivalMs)
    return this.#usage
  }

  #adapt(size: number, arrivalMs: number): void {
    const stepMs = Math.max(0, Math.min(longestStepMs, arrivalMs - (this.#updatedMs ?? arrivalMs)))
    this.#updatedMs = arrivalMs
    if (size > this.#threshold + mostBeyond) return
    const gain = size < this.#threshold ? fallGain : riseGain
    const threshold = this.#threshold + gain * (size - this.#threshold) * stepMs
    this.#threshold = Math.max(leastThreshold, Math.min(mostThreshold, threshold))
  }
}
