/** One sequence number that has not come. */
interface Missing {
  sinceMs: number
  askedMs: number | undefined
  tries: number
}

export interface LossLimits {
  /** Numbers asked for at a time; a larger hole is not worth it. */
  missing: number
  /** How often one packet is asked for. */
  tries: number
  /** When it is given up, ms after it was missed. */
  giveUpMs: number
  /** Reordering is not loss: how long to wait before asking, ms. */
  patienceMs: number
}

export const defaultLossLimits: LossLimits = { missing: 512, tries: 8, giveUpMs: 1_200, patienceMs: 5 }

/** Which packets to ask for again, and when: each after about one round trip again (RFC 4585 §6.2.1, timing ours). */
export class LossList {
  readonly #missing = new Map<number, Missing>()
  readonly #limits: LossLimits
  #highest: number | undefined
  #rttMs = 60
  #measuredMs: number | undefined

  constructor(limits: LossLimits = defaultLossLimits) {
    this.#limits = limits
  }

  /** Smoothed time from asking to getting, ms. */
  get rttMs(): number {
    return this.#rttMs
  }

  /** The same without the guess that it begins with; undefined before anything that was asked for came. */
  get measuredMs(): number | undefined {
    return this.#measuredMs
  }

  get size(): number {
    return this.#missing.size
  }

  isMissing(ext: number): boolean {
    return this.#missing.has(ext)
  }

  /** @returns false where the hole is too large to be mended: a keyframe is needed */
  arrived(ext: number, nowMs: number): boolean {
    const highest = this.#highest
    if (highest === undefined) {
      this.#highest = ext
      return true
    }
    if (ext <= highest) {
      this.#mended(ext, nowMs)
      return true
    }
    this.#highest = ext
    if (ext - highest - 1 + this.#missing.size > this.#limits.missing) {
      this.#missing.clear()
      return false
    }
    for (let hole = highest + 1; hole < ext; hole++) {
      this.#missing.set(hole, { sinceMs: nowMs, askedMs: undefined, tries: 0 })
    }
    return true
  }

  #mended(ext: number, nowMs: number): void {
    const missing = this.#missing.get(ext)
    if (!missing) return
    this.#missing.delete(ext)
    // Karn's rule: only an answer to a single request says how long an answer takes.
    if (missing.askedMs !== undefined && missing.tries === 1) {
      const tookMs = Math.min(1_000, nowMs - missing.askedMs)
      this.#rttMs += (tookMs - this.#rttMs) / 8
      const before = this.#measuredMs ?? tookMs
      this.#measuredMs = before + (tookMs - before) / 8
    }
  }

  /** Numbers to ask for now, and those given up. Call every few ms while something is missing. */
  due(nowMs: number): { ask: number[]; givenUp: number[] } {
    const ask: number[] = []
    const givenUp: number[] = []
    const againMs = Math.max(20, this.#rttMs * 1.5)
    for (const [ext, missing] of this.#missing) {
      const lastAnswerMs = missing.askedMs === undefined ? 0 : missing.askedMs + againMs
      const exhausted = missing.tries >= this.#limits.tries && nowMs >= lastAnswerMs
      if (exhausted || nowMs - missing.sinceMs >= this.#limits.giveUpMs) {
        this.#missing.delete(ext)
        givenUp.push(ext)
      } else if (nowMs - missing.sinceMs >= this.#limits.patienceMs && nowMs >= lastAnswerMs) {
        if (missing.tries >= this.#limits.tries) continue
        missing.askedMs = nowMs
        missing.tries++
        ask.push(ext)
      }
    }
    return { ask, givenUp }
  }
}
