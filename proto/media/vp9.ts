import { BitReader } from './bit-reader.ts'

/** VP9 in RTP (RFC 9628). */
export interface Vp9Payload {
  /** B: start of a frame (of a layer). */
  start: boolean
  end: boolean
  /** Not inter-predicted and the first spatial layer: decoding can start here. */
  keyframe: boolean
  spatialLayer: number
  /** The frame's bytes, after the descriptor. */
  data: Uint8Array
}

/** Parses the payload descriptor (RFC 9628 §4.2); undefined where it is cut short. */
export function vp9Payload(payload: Uint8Array): Vp9Payload | undefined {
  if (payload.length < 2) return undefined
  const flags = payload[0]!
  const pictureId = flags & 0x80
  const inter = flags & 0x40
  const layers = flags & 0x20
  const flexible = flags & 0x10
  let at = 1
  if (pictureId) at += (payload[at] ?? 0) & 0x80 ? 2 : 1
  let spatialLayer = 0
  if (layers) {
    spatialLayer = ((payload[at] ?? 0) >> 1) & 0x07
    at += flexible ? 1 : 2 // TL0PICIDX follows in non-flexible mode
  }
  if (flexible && inter) {
    for (let index = 0; index < 3; index += 1) {
      const more = (payload[at] ?? 0) & 1
      at += 1
      if (!more) break
    }
  }
  if (flags & 0x02) {
    const scalability = payload[at] ?? 0
    at += 1
    const spatialLayers = (scalability >> 5) + 1
    if (scalability & 0x10) at += 4 * spatialLayers
    if (scalability & 0x08) {
      const pictures = payload[at] ?? 0
      at += 1
      for (let index = 0; index < pictures; index += 1) at += 1 + (((payload[at] ?? 0) >> 2) & 0x03)
    }
  }
  if (at >= payload.length) return undefined
  return {
    start: (flags & 0x08) !== 0,
    end: (flags & 0x04) !== 0,
    keyframe: !inter && spatialLayer === 0,
    spatialLayer,
    data: payload.subarray(at),
  }
}

/** What the uncompressed header of a frame says (VP9 bitstream §6.2). */
export interface Vp9Frame {
  keyframe: boolean
  profile: number
  width?: number
  height?: number
  bitDepth?: number
}

/** Parses the head of a VP9 frame; undefined where it is none. */
export function parseVp9Frame(frame: Uint8Array): Vp9Frame | undefined {
  const reader = new BitReader(frame, 0, false)
  if (frame.length < 3 || reader.bits(2) !== 2) return undefined
  const low = reader.bit()
  const profile = reader.bit() * 2 + low
  if (profile === 3) reader.skip(1)
  if (reader.flag()) return { keyframe: false, profile } // show_existing_frame
  const keyframe = reader.bit() === 0
  reader.skip(2)
  if (!keyframe) return { keyframe, profile }
  if (reader.bits(24) !== 0x498342) return undefined
  const bitDepth = profile >= 2 ? (reader.flag() ? 12 : 10) : 8
  const colorSpace = reader.bits(3)
  if (colorSpace !== 7) {
    reader.skip(1)
    if (profile === 1 || profile === 3) reader.skip(3)
  } else if (profile === 1 || profile === 3) reader.skip(1)
  return { keyframe, profile, bitDepth, width: reader.bits(16) + 1, height: reader.bits(16) + 1 }
}

/** The payload descriptor of a packet we make: non-flexible, no layers, no picture id (RFC 9628 §4.2). */
export function vp9Descriptor(first: boolean, last: boolean, keyframe: boolean): Uint8Array {
  return Uint8Array.of((keyframe ? 0 : 0x40) | (first ? 0x08 : 0) | (last ? 0x04 : 0))
}
