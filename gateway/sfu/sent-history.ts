import { RecentNumbers } from '@porchlight/proto/media/recent-numbers.ts'
import type { MediaPacket, PacketRing } from './packet-ring.ts'

/** NACKs are answered for so long at least, where there is room at all: 40 Mbit/s fill it in about a second, ms. */
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
 */
export class SentHistory {
  #ext = new Float64Array(RecentNumbers.size)
  #timestamp = new Float64Array(RecentNumbers.size)
  #transport = new Int32Array(RecentNumbers.size)
  readonly #numbers = new RecentNumbers({
    keptMs,
    grown: (regrow) => {
      this.#ext = regrow(this.#ext)
      this.#timestamp = regrow(this.#timestamp)
      this.#transport = regrow(this.#transport)
    },
  })

  /**
   * A packet was sent for the first time.
   * @param sequence uint16 as sent @param ext the producer's number @param timestamp unwrapped, as sent
   * @param transport uint16; undefined: none
   */
  note(sequence: number, ext: number, timestamp: number, transport: number | undefined, nowMs: number): void {
    const slot = this.#numbers.place(sequence, nowMs)
    this.#ext[slot] = ext
    this.#timestamp[slot] = timestamp
    this.#transport[slot] = transport ?? -1
  }

  /** A number is given to a packet that has not come yet. */
  skipped(sequence: number): void {
    this.#numbers.forget(sequence)
  }

  /** Another line is sent from now on, whose packets have other numbers: it begins with a keyframe and needs nothing older. */
  clear(): void {
    this.#numbers.clear()
  }

  /**
   * What to send again for a number that was asked for; undefined where it is too old or was sent a moment ago.
   * @param ring of the line that is sent
   */
  again(sequence: number, ring: PacketRing | undefined, nowMs: number): SentPacket | undefined {
    const slot = this.#numbers.find(sequence)
    const { sentMs } = this.#numbers
    if (slot < 0 || nowMs - sentMs[slot]! < againMs) return undefined
    const packet = ring?.get(this.#ext[slot]!)
    if (!packet) return undefined
    sentMs[slot] = nowMs
    const transport = this.#transport[slot]!
    return { packet, timestamp: this.#timestamp[slot]!, transport: transport < 0 ? undefined : transport }
  }
}
