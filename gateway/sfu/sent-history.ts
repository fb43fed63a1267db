import type { MediaPacket, PacketRing } from './packet-ring.ts'

/** Packets that can be sent again at first, and at most; at 40 Mbit/s about a second. */
const firstSize = 128
const mostSize = 4_096
/** What was sent more recently than this is not forgotten while there may be more room, ms. */
const keptMs = 1_500
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
 * There is one for each line of each viewer: it has room for what this line sends, not for what one may send.
 */
export class SentHistory {
  #mask = firstSize - 1
  #sequence = new Int32Array(firstSize).fill(-1)
  #ext = new Float64Array(firstSize)
  #timestamp = new Float64Array(firstSize)
  #transport = new Int32Array(firstSize)
  #sentMs = new Float64Array(firstSize)

  /**
   * A packet was sent for the first time.
   * @param sequence uint16 as sent @param ext the producer's number @param timestamp unwrapped, as sent
   * @param transport uint16; undefined: none
   */
  note(sequence: number, ext: number, timestamp: number, transport: number | undefined, nowMs: number): void {
    if (this.#mask + 1 < mostSize && this.#isRecent(sequence, nowMs)) this.#grow()
    const slot = sequence & this.#mask
    this.#sequence[slot] = sequence
    this.#ext[slot] = ext
    this.#timestamp[slot] = timestamp
    this.#transport[slot] = transport ?? -1
    this.#sentMs[slot] = nowMs
  }

  /** A number is given to a packet that has not come yet. */
  skipped(sequence: number): void {
    this.#sequence[sequence & this.#mask] = -1
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
    const slot = sequence & this.#mask
    if (this.#sequence[slot] !== sequence || nowMs - this.#sentMs[slot]! < againMs) return undefined
    const packet = ring?.get(this.#ext[slot]!)
    if (!packet) return undefined
    this.#sentMs[slot] = nowMs
    const transport = this.#transport[slot]!
    return { packet, timestamp: this.#timestamp[slot]!, transport: transport < 0 ? undefined : transport }
  }

  /** Whether a number would take the place of one that was sent a moment ago. */
  #isRecent(sequence: number, nowMs: number): boolean {
    const slot = sequence & this.#mask
    return this.#sequence[slot]! >= 0 && nowMs - this.#sentMs[slot]! < keptMs
  }

  #grow(): void {
    const [sequences, ext, timestamp] = [this.#sequence, this.#ext, this.#timestamp]
    const [transport, sentMs] = [this.#transport, this.#sentMs]
    const size = (this.#mask + 1) * 2
    this.#mask = size - 1
    this.#sequence = new Int32Array(size).fill(-1)
    this.#ext = new Float64Array(size)
    this.#timestamp = new Float64Array(size)
    this.#transport = new Int32Array(size)
    this.#sentMs = new Float64Array(size)
    for (const [from, sequence] of sequences.entries()) {
      if (sequence < 0) continue
      const to = sequence & this.#mask
      this.#sequence[to] = sequence
      this.#ext[to] = ext[from]!
      this.#timestamp[to] = timestamp[from]!
      this.#transport[to] = transport[from]!
      this.#sentMs[to] = sentMs[from]!
    }
  }
}
