/** Packets sent within this time are one group, ms (draft-ietf-rmcat-gcc-02 §5.2). */
const burstMs = 5
/** Packets that waited together for something else (a thread, a radio) and then came at once belong together, ms. */
const mostBunchMs = 100
/** So many groups in a row that came before the one ahead of them: the receiver's clock was set back. */
const mostReordered = 3

/** Takes packets in order and says by how much the distance of two groups grew on the way (inter-group delay variation). */
export class PacketGroups {
  /** Distance of the last two whole groups as sent and as arrived, ms. */
  sentDeltaMs = 0
  arrivalDeltaMs = 0
  #begun = false
  #firstSentMs = 0
  #lastSentMs = 0
  #firstArrivalMs = 0
  #lastArrivalMs = 0
  #previous = false
  #previousSentMs = 0
  #previousArrivalMs = 0
  #reordered = 0

  /** @returns true where a group became whole, so that the two deltas are new */
  packet(sentMs: number, arrivalMs: number): boolean {
    if (!this.#begun) {
      this.#begin(sentMs, arrivalMs)
      return false
    }
    // Reordered on the way: its group is told already.
    if (sentMs < this.#firstSentMs) return false
    let told = false
    if (sentMs - this.#firstSentMs > burstMs && !this.#bunched(sentMs, arrivalMs)) {
      told = this.#tell()
      this.#previous = true
      this.#previousSentMs = this.#lastSentMs
      this.#previousArrivalMs = this.#lastArrivalMs
      this.#begin(sentMs, arrivalMs)
    }
    if (sentMs > this.#lastSentMs) this.#lastSentMs = sentMs
    this.#lastArrivalMs = arrivalMs
    return told
  }

  reset(): void {
    this.#begun = false
    this.#previous = false
    this.#reordered = 0
  }

  #begin(sentMs: number, arrivalMs: number): void {
    this.#begun = true
    this.#firstSentMs = sentMs
    this.#lastSentMs = sentMs
    this.#firstArrivalMs = arrivalMs
    this.#lastArrivalMs = arrivalMs
  }

  #bunched(sentMs: number, arrivalMs: number): boolean {
    const apartMs = arrivalMs - this.#lastArrivalMs
    const caughtUp = apartMs - (sentMs - this.#lastSentMs) < 0
    return caughtUp && apartMs <= burstMs && arrivalMs - this.#firstArrivalMs < mostBunchMs
  }

  #tell(): boolean {
    if (!this.#previous) return false
    this.sentDeltaMs = this.#lastSentMs - this.#previousSentMs
    this.arrivalDeltaMs = this.#lastArrivalMs - this.#previousArrivalMs
    if (this.arrivalDeltaMs >= 0) {
      this.#reordered = 0
      return true
    }
    this.#reordered++
    if (this.#reordered >= mostReordered) this.reset()
    return false
  }
}
