import { splitAnnexB } from './annexb.ts'
import { concatBytes } from './bytes.ts'

/** No NAL unit of a camera is larger, in bytes; longer ones are given up. */
const maxNalBytes = 8 * 1024 * 1024

/**
 * Takes RTP payloads of H.264 (RFC 6184, modes 0 and 1) or H.265 (RFC 7798, without DON) apart into NAL units.
 * Payloads must come in order; after a loss call {@link reset}. What cannot be read is left out.
 */
export class NalDepacketizer {
  readonly #h264: boolean
  #fragments: Uint8Array[] = []
  #fragmentBytes = 0

  constructor(codec: 'h264' | 'h265') {
    this.#h264 = codec === 'h264'
  }

  /** Adds the NAL units that this payload ends to `into`. They are views of `payload` unless they came in fragments. */
  push(payload: Uint8Array, into: Uint8Array[]): void {
    if (payload.length < 2) return
    if (payload[0] === 0 && payload[1] === 0)
      this.#whole(payload, into) // a start code in place of a header
    else if (this.#h264) this.#pushH264(payload, into)
    else this.#pushH265(payload, into)
  }

  /** Whether a fragmented NAL unit is under way. */
  get pending(): boolean {
    return this.#fragments.length > 0
  }

  /** Forgets a fragmented NAL unit under way. */
  reset(): void {
    this.#fragments = []
    this.#fragmentBytes = 0
  }

  #pushH264(payload: Uint8Array, into: Uint8Array[]): void {
    const type = payload[0]! & 0x1f
    if (type === 24) this.#aggregate(payload, 1, into)
    else if (type === 25)
      this.#aggregate(payload, 3, into) // STAP-B: DON follows
    else if (type === 28 || type === 29) {
      const flags = payload[1]!
      const head = Uint8Array.of((payload[0]! & 0xe0) | (flags & 0x1f))
      this.#fragment(flags, head, payload.subarray(type === 29 ? 4 : 2), into)
    } else if (type >= 1 && type <= 23) this.#whole(payload, into)
  }

  #pushH265(payload: Uint8Array, into: Uint8Array[]): void {
    const type = (payload[0]! >> 1) & 0x3f
    if (type === 48) this.#aggregate(payload, 2, into)
    else if (type === 49) {
      if (payload.length < 4) return
      const flags = payload[2]!
      const head = Uint8Array.of((payload[0]! & 0x81) | ((flags & 0x3f) << 1), payload[1]!)
      this.#fragment(flags, head, payload.subarray(3), into)
    } else if (type < 48 && payload.length > 2) this.#whole(payload, into)
  }

  #whole(nal: Uint8Array, into: Uint8Array[]): void {
    this.reset()
    this.#emit(nal, into)
  }

  #aggregate(payload: Uint8Array, start: number, into: Uint8Array[]): void {
    this.reset()
    for (let at = start; at + 2 < payload.length; ) {
      const size = (payload[at]! << 8) | payload[at + 1]!
      at += 2
      if (size === 0 || at + size > payload.length) break
      this.#emit(payload.subarray(at, at + size), into)
      at += size
    }
  }

  #fragment(flags: number, head: Uint8Array, body: Uint8Array, into: Uint8Array[]): void {
    if (flags & 0x80) {
      this.#fragments = [head]
      this.#fragmentBytes = head.length
    } else if (this.#fragments.length === 0) return // its start was lost
    this.#fragments.push(body)
    this.#fragmentBytes += body.length
    if (this.#fragmentBytes > maxNalBytes) this.reset()
    else if (flags & 0x40) {
      const nal = concatBytes(this.#fragments)
      this.reset()
      this.#emit(nal, into)
    }
  }

  /** Some cameras send `SPS 00 00 00 01 PPS 00 00 00 01 IDR` as one unit, or put a start code in front. */
  #emit(nal: Uint8Array, into: Uint8Array[]): void {
    const type = this.#h264 ? nal[0]! & 0x1f : (nal[0]! >> 1) & 0x3f
    const mayHoldOthers =
      (nal[0] === 0 && nal[1] === 0) || (this.#h264 ? type >= 6 && type <= 9 : type >= 32 && type <= 40)
    if (!mayHoldOthers) into.push(nal)
    else for (const unit of splitAnnexB(nal)) if (unit.length > 1) into.push(unit)
  }
}
