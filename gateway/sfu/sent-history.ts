import type { MediaPacket, PacketRing } from './packet-ring.ts'

/** Packets that can be sent again at most; at 40 Mbit/s about a second. */
const size = 4_096
/** One packet is not sent again more often than this, ms: a second NACK may have crossed the first answer. */
const againMs = 15

/** A packet as it was sent. */
export interface SentPacket {
  packet: MediaPacket
  /** Unwrapped, as sent. */
  timestamp: number
  /** Transport-wide number that it first had; undefined: none. */
  transport: number | undefined
}

/**
 * What was sent under which number. A retransmission repeats number, (squeezed) timestamp and transport-wide number
 * exactly: two packets of one SSRC and number that differ in a byte would be two texts under one nonce (RFC 7714 §8.1).
 */
export class SentHistory {
  readonly #sequence = new Int32Array(size).fill(-1)
  readonly #ext = new Float64Array(size)
  readonly #timestamp = new Float64Array(size)
  readonly #transport = new Int32Array(size)
  readonly #sentMs = new Float64Array(size)

  /**
   * A packet was sent for the first time.
   * @param sequence uint16 as sent @param ext the producer's number @param timestamp unwrapped, as sent
   * @param transport uint16; undefined: none
   */
  note(sequence: number, ext: number, timestamp: number, transport: number | undefined, nowMs: number): void {
    const slot = sequence & (size - 1)
    this.#sequence[slot] = sequence
    this.#ext[slot] = ext
    this.#timestamp[slot] = timestamp
    this.#transport[slot] = transport ?? -1
    this.#sentMs[slot] = nowMs
  }

  /** A number is given to a packet that has not come yet. */
  skipped(sequence: number): void {
    this.#sequence[sequence & (size - 1)] = -1
  }

  /** Another line is sent from now on, whose packets have other numbers: it begins with a keyframe and needs nothing older. */
  clear(): void {
    this.#sequence.fill(-1)
  }

  /**
   * What to send again for a number that was asked for; undefined where it is too old or was sent a moment ago.
   * @param ring of the line that is sent
   */
  again(sequence: number, ring: PacketRing | undefined, nowMs: number): SentPacket | undefined {
    const slot = sequence & (size - 1)
    if (this.#sequence[slot] !== sequence || nowMs - this.#sentMs[slot]! < againMs) return undefined
    const packet = ring?.get(this.#ext[slot]!)
    if (!packet) return undefined
    this.#sentMs[slot] = nowMs
    const transport = this.#transport[slot]!
    return { packet, timestamp: this.#timestamp[slot]!, transport: transport < 0 ? undefined : transport }
  }
}
