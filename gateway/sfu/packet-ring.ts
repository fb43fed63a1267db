/**
 * One packet as every consumer shares it. `wire` holds room for the largest header that we write, then the payload: a
 * sender writes its own header into that room right before it hands the bytes to the engine, which copies them at once.
 * So a consumer costs the header's bytes and no allocation.
 */
export interface MediaPacket {
  /** Sequence number on one line that goes on over wraps. */
  ext: number
  /** RTP timestamp on one line that goes on over wraps, in ticks. */
  timestamp: number
  marker: boolean
  /** The first packet of a keyframe. */
  keyframe: boolean
  /** Belongs to a picture that no other refers to. */
  droppable: boolean
  /** Number of the frame, as the producer sends it along or as it is given (frame-numbering.ts). */
  frame: number | undefined
  /** Capture time, where the producer sends it along (first packet of a frame), ms since the Unix epoch. */
  captureMs: number | undefined
  arrivalMs: number
  wire: Buffer
  /** The same bytes without the room for header extensions. */
  bare: Buffer
  /** Empty in packets of nothing but padding, with which libwebrtc probes the link. */
  payload: Uint8Array
}

/** Room in front of the payload with extensions: 12 bytes of header, 4 of the block's head, 4 of transport-cc. */
export const fullHeader = 20
export const plainHeader = 12

/** Copies a payload behind the room for headers. */
export function makeWire(payload: Uint8Array): Pick<MediaPacket, 'wire' | 'bare' | 'payload'> {
  const wire = Buffer.allocUnsafe(fullHeader + payload.length)
  wire.set(payload, fullHeader)
  return { wire, bare: wire.subarray(fullHeader - plainHeader), payload: wire.subarray(fullHeader) }
}

/** Packets by sequence number, bounded in number; the oldest give way. */
export class PacketRing {
  readonly #slots: (MediaPacket | undefined)[]
  readonly #mask: number
  #bytes = 0
  #oldest = 0
  #head = -1

  /** @param capacity in packets, a power of two */
  constructor(capacity: number) {
    this.#slots = new Array<MediaPacket | undefined>(capacity).fill(undefined)
    this.#mask = capacity - 1
  }

  /** Newest sequence number; −1 before the first. */
  get head(): number {
    return this.#head
  }

  /** No packet before this one is kept. */
  get oldest(): number {
    return this.#oldest
  }

  get bytes(): number {
    return this.#bytes
  }

  get(ext: number): MediaPacket | undefined {
    const packet = this.#slots[ext & this.#mask]
    return packet?.ext === ext ? packet : undefined
  }

  /** False where it came before, or is older than everything kept. */
  put(packet: MediaPacket): boolean {
    if (this.#head < 0) {
      this.#oldest = packet.ext
      this.#head = packet.ext - 1
    }
    if (packet.ext < this.#oldest || this.get(packet.ext)) return false
    if (packet.ext > this.#head) {
      this.dropBefore(packet.ext - this.#mask)
      this.#head = packet.ext
    }
    this.#slots[packet.ext & this.#mask] = packet
    this.#bytes += packet.payload.length
    return true
  }

  /** Forgets everything before `ext`. */
  dropBefore(ext: number): void {
    // After a leap of the numbers there may be nothing to walk over but empty slots: once round is enough.
    const until = Math.min(ext, this.#oldest + this.#slots.length)
    for (let at = this.#oldest; at < until; at++) {
      const packet = this.get(at)
      if (!packet) continue
      this.#bytes -= packet.payload.length
      this.#slots[at & this.#mask] = undefined
    }
    if (ext > this.#oldest) this.#oldest = ext
    if (this.#head < this.#oldest - 1) this.#head = this.#oldest - 1
  }
}
