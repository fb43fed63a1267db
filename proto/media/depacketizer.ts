import type { VideoCodec } from '../messages/cameras.ts'
import { av1Obu, obuType, readLeb128, withSize } from './av1.ts'
import { concatBytes } from './bytes.ts'
import { NalDepacketizer } from './nal-depacketizer.ts'
import { vp8Payload } from './vp8.ts'
import { vp9Payload } from './vp9.ts'

export { keyframeStart } from './keyframe.ts'

/** No access unit is larger, in bytes; longer ones are given up. */
const maxUnitBytes = 16 * 1024 * 1024

/** Collects the payloads of one frame. */
interface FrameCollector {
  /** Whether this payload is visibly the first of a frame. */
  begins(payload: Uint8Array): boolean
  push(payload: Uint8Array): void
  take(): Uint8Array[] | undefined
  reset(): void
}

/**
 * Puts access units together again from RTP payloads in order, where the marker bit can be trusted (our own legs,
 * WebRTC). An access unit that never gets its marker is dropped at the next timestamp. Cameras need more forgiveness:
 * see the device's assembler.
 */
export class VideoDepacketizer {
  readonly #collector: FrameCollector
  #timestamp: number | undefined
  #sequence: number | undefined
  #broken = false
  #bytes = 0

  constructor(codec: VideoCodec) {
    this.#collector = collectorFor(codec)
  }

  /**
   * @param sequence uint16; where given, a hole drops the access unit it tears
   * @returns the data of the access unit that this payload finishes, as in `AccessUnit.data`
   */
  push(payload: Uint8Array, marker: boolean, timestamp: number, sequence?: number): Uint8Array[] | undefined {
    const hole = sequence !== undefined && this.#sequence !== undefined && sequence !== ((this.#sequence + 1) & 0xffff)
    this.#sequence = sequence
    if (timestamp !== this.#timestamp) {
      this.#drop()
      this.#timestamp = timestamp
    }
    if (hole) {
      this.#drop()
      this.#broken = !this.#collector.begins(payload)
    }
    this.#bytes += payload.length
    if (this.#bytes > maxUnitBytes) this.#broken = true
    if (!this.#broken) this.#collector.push(payload)
    if (!marker) return undefined
    const data = this.#broken ? undefined : this.#collector.take()
    this.#drop()
    this.#timestamp = undefined
    return data
  }

  /** Forgets what is under way. */
  reset(): void {
    this.#drop()
    this.#timestamp = undefined
    this.#sequence = undefined
  }

  #drop(): void {
    this.#collector.reset()
    this.#broken = false
    this.#bytes = 0
  }
}

function collectorFor(codec: VideoCodec): FrameCollector {
  switch (codec) {
    case 'h264':
    case 'h265':
      return new NalCollector(codec)
    case 'vp8':
      return new FrameBytes((payload) => vp8Payload(payload))
    case 'vp9':
      return new FrameBytes((payload) => {
        const parsed = vp9Payload(payload)
        return parsed && { start: parsed.start && parsed.spatialLayer === 0, data: parsed.data }
      })
    case 'av1':
      return new Av1Collector()
  }
}

class NalCollector implements FrameCollector {
  readonly #h264: boolean
  readonly #depacketizer: NalDepacketizer
  #nals: Uint8Array[] = []

  constructor(codec: 'h264' | 'h265') {
    this.#h264 = codec === 'h264'
    this.#depacketizer = new NalDepacketizer(codec)
  }

  begins(payload: Uint8Array): boolean {
    const [first = 0, second = 0, third = 0, fourth = 0] = payload
    if (this.#h264) {
      const type = first & 0x1f
      if (type === 28) return (second & 0x80) !== 0 && (third & 0x80) !== 0
      return type === 24 || (type >= 6 && type <= 9) || (type >= 1 && type <= 5 && (second & 0x80) !== 0)
    }
    const type = (first >> 1) & 0x3f
    if (type === 49) return (third & 0x80) !== 0 && (fourth & 0x80) !== 0
    return type >= 32 ? type !== 40 : (third & 0x80) !== 0
  }

  push(payload: Uint8Array): void {
    this.#depacketizer.push(payload, this.#nals)
  }

  take(): Uint8Array[] | undefined {
    // a fragment without its end, or nothing but the tail of one
    if (this.#depacketizer.pending || this.#nals.length === 0) return undefined
    return this.#nals
  }

  reset(): void {
    this.#depacketizer.reset()
    this.#nals = []
  }
}

/** VP8 and VP9: descriptor off, bytes joined. */
class FrameBytes implements FrameCollector {
  readonly #parse: (payload: Uint8Array) => { start: boolean; data: Uint8Array } | undefined
  #parts: Uint8Array[] = []

  constructor(parse: (payload: Uint8Array) => { start: boolean; data: Uint8Array } | undefined) {
    this.#parse = parse
  }

  begins(payload: Uint8Array): boolean {
    return this.#parse(payload)?.start ?? false
  }

  push(payload: Uint8Array): void {
    const parsed = this.#parse(payload)
    if (parsed === undefined) return
    if (this.#parts.length > 0 || parsed.start) this.#parts.push(parsed.data)
  }

  take(): Uint8Array[] | undefined {
    return this.#parts.length === 0 ? undefined : [concatBytes(this.#parts)]
  }

  reset(): void {
    this.#parts = []
  }
}

/** AV1: OBU elements joined over packets, given their size fields back (AV1 RTP §4.4). */
class Av1Collector implements FrameCollector {
  #obus: Uint8Array[] = []
  #open: Uint8Array[] = []
  #started = false

  begins(payload: Uint8Array): boolean {
    return payload.length > 1 && (payload[0]! & 0x80) === 0
  }

  push(payload: Uint8Array): void {
    if (payload.length < 2) return
    const head = payload[0]!
    const count = (head >> 4) & 3
    if (!this.#started && head & 0x80) return // its start was lost
    this.#started = true
    let at = 1
    for (let index = 1; at < payload.length; index += 1) {
      let size = payload.length - at
      if (count === 0 || index < count) {
        const length = readLeb128(payload, at)
        if (length === undefined || length.next + length.value > payload.length) return
        at = length.next
        size = length.value
      }
      const continued = index === 1 && (head & 0x80) !== 0
      if (!continued) this.#close()
      this.#open.push(payload.subarray(at, at + size))
      at += size
    }
    if ((head & 0x40) === 0) this.#close()
  }

  take(): Uint8Array[] | undefined {
    this.#close()
    return this.#obus.length === 0 ? undefined : [concatBytes(this.#obus)]
  }

  reset(): void {
    this.#obus = []
    this.#open = []
    this.#started = false
  }

  #close(): void {
    if (this.#open.length === 0) return
    const obu = concatBytes(this.#open)
    this.#open = []
    if (obu.length > 0 && obuType(obu) !== av1Obu.temporalDelimiter) this.#obus.push(withSize(obu))
  }
}
