/** Packets that can be sent again at most; at 40 Mbit/s about a second. */
const size = 4_096
/** One packet is not sent again more often than this, ms: a second NACK may have crossed the first answer. */
const againMs = 15

/** What was sent under which number: a retransmission repeats number and (squeezed) timestamp exactly. */
export class SentHistory {
  readonly #sequence = new Int32Array(size).fill(-1)
  readonly #ext = new Float64Array(size)
  readonly #timestamp = new Float64Array(size)
  readonly #sentMs = new Float64Array(size)

  /** @param sequence uint16 as sent @param ext the producer's number @param timestamp as sent, unwrapped */
  note(sequence: number, ext: number, timestamp: number, nowMs: number): void {
    const slot = sequence & (size - 1)
    this.#sequence[slot] = sequence
    this.#ext[slot] = ext
    this.#timestamp[slot] = timestamp
    this.#sentMs[slot] = nowMs
  }

  /** What to send again for a number that was asked for; undefined where it is too old or was sent a moment ago. */
  again(sequence: number, nowMs: number): { ext: number; timestamp: number } | undefined {
    const slot = sequence & (size - 1)
    if (this.#sequence[slot] !== sequence || nowMs - this.#sentMs[slot]! < againMs) return undefined
    this.#sentMs[slot] = nowMs
    return { ext: this.#ext[slot]!, timestamp: this.#timestamp[slot]! }
  }
}
