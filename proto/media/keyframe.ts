import type { VideoCodec } from '../messages/cameras.ts'
import { av1Start } from './av1.ts'
import { vp8Payload } from './vp8.ts'
import { vp9Payload } from './vp9.ts'

/**
 * Whether this RTP payload begins a keyframe. H.264: SPS or IDR (RFC 6184), also as the first of a STAP-A or the start
 * of an FU-A; H.265: a parameter set or IRAP picture (RFC 7798), likewise; the others by their descriptors.
 */
export function keyframeStart(codec: VideoCodec, payload: Uint8Array): boolean {
  switch (codec) {
    case 'h264':
      return h264KeyframeStart(payload)
    case 'h265':
      return h265KeyframeStart(payload)
    case 'vp8':
      return vp8Payload(payload)?.keyframe ?? false
    case 'vp9': {
      const parsed = vp9Payload(payload)
      return parsed?.start === true && parsed.keyframe
    }
    case 'av1':
      return av1Start(payload)
  }
}

function h264KeyframeStart(payload: Uint8Array): boolean {
  if (payload.length < 2) return false
  const type = payload[0]! & 0x1f
  if (type === 5) return (payload[1]! & 0x80) !== 0
  if (type === 7) return true
  if (type === 28 || type === 29) {
    if ((payload[1]! & 0x80) === 0) return false
    const inner = payload[1]! & 0x1f
    return inner === 7 || (inner === 5 && payload.length > 2 && (payload[2]! & 0x80) !== 0)
  }
  if (type === 24) {
    for (let at = 1; at + 2 < payload.length; ) {
      const size = (payload[at]! << 8) | payload[at + 1]!
      const inner = payload[at + 2]! & 0x1f
      if (inner === 5 || inner === 7) return true
      at += 2 + size
    }
  }
  return false
}

function isH265Key(type: number): boolean {
  return (type >= 16 && type <= 23) || type === 32 || type === 33
}

function h265KeyframeStart(payload: Uint8Array): boolean {
  if (payload.length < 3) return false
  const type = (payload[0]! >> 1) & 0x3f
  if (type === 49) {
    const inner = payload[2]! & 0x3f
    return (payload[2]! & 0x80) !== 0 && isH265Key(inner)
  }
  if (type === 48) {
    for (let at = 2; at + 2 < payload.length; ) {
      const size = (payload[at]! << 8) | payload[at + 1]!
      if (isH265Key((payload[at + 2]! >> 1) & 0x3f)) return true
      at += 2 + size
    }
    return false
  }
  return isH265Key(type)
}
