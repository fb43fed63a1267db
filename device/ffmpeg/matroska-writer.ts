import type { AccessUnit, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import { joinAnnexB } from '@porchlight/proto/media/annexb.ts'

/**
 * The least Matroska (RFC 9559) that carries access units with their times to an ffmpeg that reads a pipe. H.264 and
 * H.265 stay Annex B: with no CodecPrivate ffmpeg takes them as such.
 */
const codecIds: Record<VideoFormat['codec'], string> = {
  h264: 'V_MPEG4/ISO/AVC',
  h265: 'V_MPEGH/ISO/HEVC',
  vp8: 'V_VP8',
  vp9: 'V_VP9',
  av1: 'V_AV1',
}

const id = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  codecId: 0x86,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
} as const

/** EBML header, segment of unknown size, one video track; times count in ms. */
export function matroskaHeader(format: VideoFormat): Uint8Array {
  const header = element(id.ebml, [
    element(id.docType, [ascii('matroska')]),
    element(id.docTypeVersion, [uint(4)]),
    element(id.docTypeReadVersion, [uint(2)]),
  ])
  const segment = Buffer.concat([idBytes(id.segment), Uint8Array.of(0x01, 255, 255, 255, 255, 255, 255, 255)])
  const info = element(id.info, [element(id.timestampScale, [uint(1_000_000)])])
  const track = element(id.trackEntry, [
    element(id.trackNumber, [uint(1)]),
    element(id.trackUid, [uint(1)]),
    element(id.trackType, [uint(1)]),
    element(id.codecId, [ascii(codecIds[format.codec])]),
    element(id.video, [element(id.pixelWidth, [uint(format.width)]), element(id.pixelHeight, [uint(format.height)])]),
  ])
  return Buffer.concat([header, segment, info, element(id.tracks, [track])])
}

/** One access unit as a cluster of its own. @param timeMs not negative, whole ms from a beginning of the caller's */
export function matroskaUnit(unit: AccessUnit, timeMs: number): Uint8Array {
  const isNal = unit.codec === 'h264' || unit.codec === 'h265'
  const data = isNal ? joinAnnexB(unit.data) : Buffer.concat(unit.data)
  const block = element(id.simpleBlock, [Uint8Array.of(0x81, 0, 0, unit.keyframe ? 0x80 : 0), data])
  return element(id.cluster, [element(id.timestamp, [uint(timeMs)]), block])
}

function element(elementId: number, parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE((1n << 56n) | BigInt(size))
  return Buffer.concat([idBytes(elementId), length, ...parts])
}

function idBytes(elementId: number): Uint8Array {
  return uint(elementId)
}

/** Big endian without leading zeros, at least one byte. */
function uint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.unshift(rest % 256)
    rest = Math.floor(rest / 256)
  } while (rest > 0)
  return Uint8Array.from(bytes)
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'ascii')
}
