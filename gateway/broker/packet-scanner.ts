/** Why the guard cuts a connection. */
export type Refusal =
  | 'total' // too many connections
  | 'address' // too many unauthenticated connections from one address
  | 'slow' // no CONNECT and credential in time
  | 'not-connect' // the first packet is something else
  | 'second-connect'
  | 'packet-type' // nothing that a client sends
  | 'length' // a remaining length that is malformed
  | 'too-large'

const connect = 1
/** Control packets that a client may send after CONNECT (MQTT 3.1.1 §2.2.1): PUBLISH … SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT. */
const clientTypes = new Set([3, 4, 5, 6, 7, 8, 10, 12, 14])

/**
 * Follows the borders of MQTT packets by their fixed headers (MQTT 3.1.1 §2.2), so that lengths are bounded before any
 * parser allocates for them.
 */
export class PacketScanner {
  readonly #maxConnect: number
  readonly #maxPacket: number
  #first = true
  #type = 0
  /** Bytes of the remaining length seen, 0 before the first byte of a packet. */
  #lengthBytes = -1
  #length = 0
  #body = 0

  /** @param maxConnect @param maxPacket remaining length allowed of the first and of every further packet, bytes */
  constructor(maxConnect: number, maxPacket: number) {
    this.#maxConnect = maxConnect
    this.#maxPacket = maxPacket
  }

  /**
   * Goes through `chunk` from `start` up to the end of the packet that is under way.
   * @returns where it stopped, and whether a packet ended there; or why the connection must go
   */
  scan(chunk: Uint8Array, start: number): { end: number; complete: boolean } | Refusal {
    let at = start
    while (at < chunk.length) {
      if (this.#lengthBytes < 0) {
        const refusal = this.#begin(chunk[at]!)
        if (refusal) return refusal
        at += 1
      } else if (this.#body < 0) {
        const refusal = this.#lengthByte(chunk[at]!)
        if (refusal) return refusal
        at += 1
        if (this.#body === 0) return this.#finish(at)
      } else {
        const taken = Math.min(this.#body, chunk.length - at)
        at += taken
        this.#body -= taken
        if (this.#body === 0) return this.#finish(at)
      }
    }
    return { end: at, complete: false }
  }

  #begin(byte: number): Refusal | undefined {
    this.#type = byte >> 4
    if (this.#first && this.#type !== connect) return 'not-connect'
    if (!this.#first && this.#type === connect) return 'second-connect'
    if (!this.#first && !clientTypes.has(this.#type)) return 'packet-type'
    this.#lengthBytes = 0
    this.#length = 0
    this.#body = -1
    return undefined
  }

  /** §2.2.3: seven bits per byte, least significant first, at most four bytes. */
  #lengthByte(byte: number): Refusal | undefined {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes
    this.#lengthBytes += 1
    if (this.#length > (this.#first ? this.#maxConnect : this.#maxPacket)) return 'too-large'
    if (byte & 0x80) return this.#lengthBytes === 4 ? 'length' : undefined
    this.#body = this.#length
    return undefined
  }

  #finish(end: number): { end: number; complete: boolean } {
    this.#first = false
    this.#lengthBytes = -1
    return { end, complete: true }
  }
}
