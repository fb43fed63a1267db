/** Numbers farther than this from the last ones are another beginning, or astray (RFC 3550 A.1). */
const mostLeap = 3_000
/** A time that is farther than this from where the last one would be by now is another beginning, ms. */
const mostTimeLeapMs = 10_000

/** Where a packet stands on lines that go on. */
export interface Place {
  /** Of its sequence number. */
  ext: number
  /** Of its RTP timestamp, in ticks. */
  timestamp: number
}

/**
 * Puts the numbers and times of one RTP source on lines that go on: over wraps, and over the leaps of a source that begins
 * anew or whose clock was set. So nobody behind it has to know of either.
 */
export class SourceLine {
  readonly #clockRate: number
  #highest: number | undefined
  /** The number that makes two in a row of what seems another beginning. */
  #expected: number | undefined
  #rtp = 0
  #timestamp = 0
  #atMs = 0

  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /**
   * @param sequence uint16 @param rtp timestamp, uint32
   * @returns undefined for a packet that is astray: the first of another beginning, or a late one of an earlier beginning
   */
  place(sequence: number, rtp: number, nowMs: number): Place | undefined {
    const highest = this.#highest
    if (highest === undefined) {
      this.#stand(sequence + 0x10000, rtp, rtp + 2 ** 32, nowMs)
      return { ext: sequence + 0x10000, timestamp: this.#timestamp }
    }
    const step = ((sequence - highest) << 16) >> 16
    const leapt = Math.abs(step) > mostLeap
    if (leapt && sequence !== this.#expected) {
      this.#expected = (sequence + 1) & 0xffff
      return undefined
    }
    const ext = leapt ? this.#after(highest, sequence) : highest + step
    const ticks = (rtp - this.#rtp) | 0
    const elapsed = ((nowMs - this.#atMs) / 1_000) * this.#clockRate
    const leaps = Math.abs(ticks - elapsed) > (mostTimeLeapMs / 1_000) * this.#clockRate
    if (leaps && ext <= highest) return undefined
    const timestamp = this.#timestamp + (leaps ? Math.max(1, Math.round(elapsed)) : ticks)
    if (ext > highest) this.#stand(ext, rtp, timestamp, nowMs)
    return { ext, timestamp }
  }

  /** Where a timestamp of the source, about as old as its last packet, stands. @param rtp uint32 */
  timeOf(rtp: number): number {
    return this.#timestamp + ((rtp - this.#rtp) | 0)
  }

  /** The next number on our line that ends in the 16 bits of theirs: what is asked for again is named by those. */
  #after(highest: number, sequence: number): number {
    const step = (sequence - highest) & 0xffff
    return highest + (step === 0 ? 0x10000 : step)
  }

  #stand(ext: number, rtp: number, timestamp: number, nowMs: number): void {
    this.#highest = ext
    this.#expected = undefined
    this.#rtp = rtp
    this.#timestamp = timestamp
    this.#atMs = nowMs
  }
}
