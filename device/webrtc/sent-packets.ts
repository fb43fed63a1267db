interface Sent {
  sequence: number
  bytes: Uint8Array
  /** ms, of the last sending. */
  at: number
}

/** The newest packets of one stream, to be sent again on a NACK. Bounded by their number. */
export class SentPackets {
  readonly #slots: (Sent | undefined)[]
  readonly #mask: number

  /** @param capacity a power of two, at most 32768 */
  constructor(capacity: number) {
    if (capacity > 32_768 || (capacity & (capacity - 1)) !== 0) throw new RangeError('capacity is no power of two')
    this.#slots = new Array<Sent | undefined>(capacity).fill(undefined)
    this.#mask = capacity - 1
  }

  /** @param sequence uint16 */
  add(sequence: number, bytes: Uint8Array, now: number): void {
    this.#slots[sequence & this.#mask] = { sequence, bytes, at: now }
  }

  /**
   * The packet, where it is still there and was not sent within `minGapMs`: a NACK repeated before the repetition can
   * have arrived does not cost a second one.
   */
  again(sequence: number, now: number, minGapMs: number): Uint8Array | undefined {
    const slot = this.#slots[sequence & this.#mask]
    if (slot === undefined || slot.sequence !== sequence || now - slot.at < minGapMs) return undefined
    slot.at = now
    return slot.bytes
  }

  clear(): void {
    this.#slots.fill(undefined)
  }
}
