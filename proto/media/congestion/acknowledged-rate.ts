const buckets = 9
const bucketMs = 50
/** A shorter span says nothing, ms. */
const leastSpanMs = 50
/** So long without an arrival nothing was sent, and the link could not show what it bears: in buckets. */
const pause = 3

/** What arrived over the last 400–450 ms, by the receiver's clock. */
export class AcknowledgedRate {
  readonly #bytes = new Float64Array(buckets)
  #first: number | undefined
  #newest = 0
  #newestMs = Number.NEGATIVE_INFINITY

  /** Bytes per ms; undefined while too little is known. */
  get rate(): number | undefined {
    if (this.#first === undefined) return undefined
    const from = Math.max(this.#first, this.#newest - buckets + 1)
    const spanMs = this.#newestMs - from * bucketMs
    if (spanMs < leastSpanMs) return undefined
    let sum = 0
    for (let bucket = from; bucket <= this.#newest; bucket++) sum += this.#bytes[place(bucket)]!
    return sum / spanMs
  }

  packet(bytes: number, arrivalMs: number): void {
    const bucket = Math.floor(arrivalMs / bucketMs)
    if (this.#first === undefined || bucket - this.#newest > pause) {
      this.#first = bucket
      this.#newest = bucket
      this.#bytes.fill(0)
    }
    if (bucket <= this.#newest - buckets) return
    for (let next = this.#newest + 1; next <= bucket; next++) this.#bytes[place(next)] = 0
    if (bucket > this.#newest) this.#newest = bucket
    if (arrivalMs > this.#newestMs) this.#newestMs = arrivalMs
    this.#bytes[place(bucket)]! += bytes
  }

  reset(): void {
    this.#first = undefined
    this.#newestMs = Number.NEGATIVE_INFINITY
  }
}

/** Times may be negative: the receiver's clock is its own. */
function place(bucket: number): number {
  return ((bucket % buckets) + buckets) % buckets
}
