const windowSize = 20
const smoothing = 0.9
const gain = 4
const mostDeltas = 60

/**
 * The later published filter of GCC in place of the Kalman filter (draft-ietf-rmcat-gcc-02 §5.3): a line through the last
 * smoothed delays. Its slope is the share by which the sender sends more than passes.
 */
export class TrendLine {
  readonly #atMs = new Float64Array(windowSize)
  readonly #delayMs = new Float64Array(windowSize)
  #next = 0
  #deltas = 0
  #firstMs: number | undefined
  #sumMs = 0
  #smoothedMs = 0
  #slope = 0

  /** @returns the slope times gain and number of deltas, to be compared with the detector's threshold */
  update(sentDeltaMs: number, arrivalDeltaMs: number, arrivalMs: number): number {
    this.#firstMs ??= arrivalMs
    this.#deltas++
    this.#sumMs += arrivalDeltaMs - sentDeltaMs
    this.#smoothedMs = smoothing * this.#smoothedMs + (1 - smoothing) * this.#sumMs
    this.#atMs[this.#next] = arrivalMs - this.#firstMs
    this.#delayMs[this.#next] = this.#smoothedMs
    this.#next = (this.#next + 1) % windowSize
    if (this.#deltas >= windowSize) this.#slope = this.#fit() ?? this.#slope
    return Math.min(this.#deltas, mostDeltas) * this.#slope * gain
  }

  reset(): void {
    this.#next = 0
    this.#deltas = 0
    this.#firstMs = undefined
    this.#sumMs = 0
    this.#smoothedMs = 0
    this.#slope = 0
  }

  /** Least squares; undefined where all points are of one moment. */
  #fit(): number | undefined {
    let meanX = 0
    let meanY = 0
    for (let at = 0; at < windowSize; at++) {
      meanX += this.#atMs[at]! / windowSize
      meanY += this.#delayMs[at]! / windowSize
    }
    let above = 0
    let below = 0
    for (let at = 0; at < windowSize; at++) {
      const x = this.#atMs[at]! - meanX
      above += x * (this.#delayMs[at]! - meanY)
      below += x * x
    }
    return below > 0 ? above / below : undefined
  }
}
