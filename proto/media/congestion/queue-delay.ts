const baseWindowMs = 10_000
const bucketMs = 100
/** A queue below this is of no account, ms. */
export const shortQueueMs = 25
/** A delay that stands so long within so little, without growing, is the path's and no queue, ms. */
const settledMs = 3_000
const settledWithinMs = 10
/** After the sender has answered to a queue, what stands is taken for its rest, ms. */
const restMs = 5_000

/**
 * The queue that stands on the link: the least that any packet of the last 100–200 ms waited, as in CoDel (RFC 8289 §3).
 * A thread that stood still, a burst of our own or a late radio hold back some packets and let others pass: those are no
 * queue. Delays are relative to the least of the last 10–20 s, so that clocks may differ and drift.
 */
export class QueueDelay {
  #baseMs: number | undefined
  #baseAtMs = 0
  #nextBaseMs = 0
  #bucketAtMs = 0
  #least = Number.POSITIVE_INFINITY
  #before: number | undefined
  #pressure = 0
  #stoodSinceMs: number | undefined
  #restUntilMs = Number.NEGATIVE_INFINITY
  #steadySinceMs: number | undefined
  #steadyMs = 0

  /** Least delay seen, on the two clocks. */
  get baseMs(): number | undefined {
    return this.#baseMs
  }

  /** ms; 0 where little is known. */
  get standingMs(): number {
    if (this.#before === undefined || this.#baseMs === undefined) return 0
    return Math.max(0, Math.min(this.#before, this.#least) - this.#baseMs)
  }

  /** How long a queue has stood times how long it was, ms · s; 0 where none stands. */
  get pressure(): number {
    return this.#pressure
  }

  /** How long the rest of a queue has stood since the last answer to it, ms; 0 where there was none lately. */
  get restMs(): number {
    if (this.#stoodSinceMs === undefined || this.#bucketAtMs > this.#restUntilMs) return 0
    return this.#bucketAtMs - this.#stoodSinceMs
  }

  /** An answer was given to it: both begin anew. */
  answered(): void {
    this.#pressure = 0
    this.#stoodSinceMs = this.#bucketAtMs
    this.#restUntilMs = this.#bucketAtMs + restMs
  }

  /** @param delayMs arrival on the receiver's clock minus sending on ours */
  packet(delayMs: number, arrivalMs: number): void {
    if (this.#baseMs === undefined) this.#begin(delayMs, arrivalMs)
    if (arrivalMs - this.#bucketAtMs >= bucketMs) this.#nextBucket(arrivalMs)
    if (delayMs < this.#least) this.#least = delayMs
    if (delayMs < this.#nextBaseMs) this.#nextBaseMs = delayMs
    if (delayMs <= this.#baseMs!) {
      this.#baseMs = delayMs
      this.#baseAtMs = arrivalMs
    } else if (arrivalMs - this.#baseAtMs > baseWindowMs) this.#rebase(delayMs, arrivalMs)
  }

  reset(): void {
    this.#baseMs = undefined
    this.#before = undefined
    this.#least = Number.POSITIVE_INFINITY
    this.#pressure = 0
    this.#stoodSinceMs = undefined
    this.#steadySinceMs = undefined
    this.#restUntilMs = Number.NEGATIVE_INFINITY
  }

  #begin(delayMs: number, arrivalMs: number): void {
    this.#rebase(delayMs, arrivalMs)
    this.#baseMs = delayMs
    this.#bucketAtMs = arrivalMs
  }

  #rebase(delayMs: number, arrivalMs: number): void {
    this.#baseMs = this.#nextBaseMs
    this.#baseAtMs = arrivalMs
    this.#nextBaseMs = delayMs
  }

  #nextBucket(arrivalMs: number): void {
    const pauseMs = arrivalMs - this.#bucketAtMs
    this.#weigh(this.#settle(arrivalMs))
    // After a pause nobody knows whether anything stood.
    const paused = pauseMs >= 2 * bucketMs
    this.#before = paused ? undefined : this.#least
    if (paused) this.#stoodSinceMs = undefined
    this.#least = Number.POSITIVE_INFINITY
    this.#bucketAtMs = arrivalMs
  }

  /** A queue that does not grow and overflows nowhere is more likely a longer path: it adds nothing. */
  #weigh(steady: boolean): void {
    const standing = this.standingMs
    if (standing <= shortQueueMs) {
      this.#pressure = 0
      this.#stoodSinceMs = undefined
      return
    }
    this.#stoodSinceMs ??= this.#bucketAtMs
    if (!steady) this.#pressure += (standing * bucketMs) / 1000
  }

  /** A path that became longer is learnt before the old base runs out. @returns whether the delay stays where it is */
  #settle(arrivalMs: number): boolean {
    const stands = this.standingMs > shortQueueMs && arrivalMs > this.#restUntilMs
    const steady = stands && Math.abs(this.#least - this.#steadyMs) <= settledWithinMs
    if (this.#steadySinceMs === undefined || !steady) {
      this.#steadySinceMs = arrivalMs
      this.#steadyMs = this.#least
      return false
    }
    if (arrivalMs - this.#steadySinceMs >= settledMs) {
      this.#baseMs = this.#nextBaseMs = this.#steadyMs - settledWithinMs
      this.#baseAtMs = arrivalMs
      this.#steadySinceMs = undefined
    }
    return true
  }
}
