import type { MediaPacket, PacketRing } from './packet-ring.ts'

/** Packets that can be sent again at most; at 40 Mbit/s about a second. */
const size = 4_096
/** One packet is not sent again more often than this, ms: a second NACK may have crossed the first answer. */
const againMs = 15

/** Where the packets of some numbers are kept, and what was added to their timestamps. */
export interface SentFrom {
  ring: PacketRing
  offset: number
}

/**
 * What was sent under which number: a retransmission repeats number and (squeezed) timestamp exactly, also of the layer
 * that was sent before.
 */
export class SentHistory {
  readonly #sequence = new Int32Array(size).fill(-1)
  readonly #ext = new Float64Array(size)
  readonly #timestamp = new Float64Array(size)
  readonly #sentMs = new Float64Array(size)
  #earlier: { from: SentFrom | undefined; untilSequence: number } | undefined

  /** @param sequence uint16 as sent @param ext the producer's number @param timestamp unwrapped, without the offset */
  note(sequence: number, ext: number, timestamp: number, nowMs: number): void {
    const slot = sequence & (size - 1)
    this.#sequence[slot] = sequence
    this.#ext[slot] = ext
    this.#timestamp[slot] = timestamp
    this.#sentMs[slot] = nowMs
  }

  /** What was sent before `untilSequence` is of `from`; undefined: it is gone with its producer. */
  changed(from: SentFrom | undefined, untilSequence: number): void {
    this.#earlier = { from, untilSequence }
  }

  /**
   * What to send again for a number that was asked for; undefined where it is too old or was sent a moment ago.
   * @param current what is sent now
   * @returns the packet, and its timestamp as sent, unwrapped
   */
  again(
    sequence: number,
    current: SentFrom | undefined,
    nowMs: number,
  ): { packet: MediaPacket; timestamp: number } | undefined {
    const before = this.#earlier && ((sequence - this.#earlier.untilSequence) & 0x8000) !== 0
    const from = before ? this.#earlier?.from : current
    const slot = sequence & (size - 1)
    if (!from || this.#sequence[slot] !== sequence || nowMs - this.#sentMs[slot]! < againMs) return undefined
    const packet = from.ring.get(this.#ext[slot]!)
    if (!packet) return undefined
    this.#sentMs[slot] = nowMs
    return { packet, timestamp: this.#timestamp[slot]! + from.offset }
  }
}
