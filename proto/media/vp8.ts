/** VP8 in RTP (RFC 7741). */
export interface Vp8Payload {
  /** First packet of a frame: S set, partition index 0. */
  start: boolean
  /** Meaningful with `start`: the frame is a keyframe (P bit of the frame header is 0). */
  keyframe: boolean
  /** The frame's bytes, after the descriptor. */
  data: Uint8Array
}

/** Parses the payload descriptor (RFC 7741 §4.2); undefined where it is cut short. */
export function vp8Payload(payload: Uint8Array): Vp8Payload | undefined {
  if (payload.length < 2) return undefined
  let at = 1
  if (payload[0]! & 0x80) {
    const flags = payload[1]!
    at = 2
    if (flags & 0x80) at += (payload[at] ?? 0) & 0x80 ? 2 : 1 // PictureID
    if (flags & 0x40) at += 1 // TL0PICIDX
    if (flags & 0x30) at += 1 // TID, KEYIDX
  }
  if (at >= payload.length) return undefined
  const start = (payload[0]! & 0x17) === 0x10
  return { start, keyframe: start && (payload[at]! & 1) === 0, data: payload.subarray(at) }
}

/** Width and height of a keyframe (RFC 6386 §9.1); undefined where the frame is none. */
export function vp8Size(frame: Uint8Array): { width: number; height: number } | undefined {
  if (frame.length < 10 || frame[0]! & 1 || frame[3] !== 0x9d || frame[4] !== 0x01 || frame[5] !== 0x2a)
    return undefined
  return { width: (frame[6]! | (frame[7]! << 8)) & 0x3fff, height: (frame[8]! | (frame[9]! << 8)) & 0x3fff }
}

/** The payload descriptor of a packet we make: one byte, S in the first (RFC 7741 §4.2). */
export function vp8Descriptor(first: boolean): Uint8Array {
  return Uint8Array.of(first ? 0x10 : 0x00)
}
