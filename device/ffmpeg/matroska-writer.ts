import type { AccessUnit, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import { joinAnnexB } from '@porchlight/proto/media/annexb.ts'
import { concatBytes } from '@porchlight/proto/media/bytes.ts'
import { ascii } from '@porchlight/proto/media/fmp4/boxes.ts'
import { writeClusters } from '@porchlight/proto/media/webm/cluster.ts'
import { element, id, longHeader, millisecond, uint } from '@porchlight/proto/media/webm/ebml.ts'
import { ebmlHeader } from '@porchlight/proto/media/webm/header.ts'

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

/** EBML header, segment of unknown size, one video track; times count in ms. */
export function matroskaHeader(format: VideoFormat): Uint8Array {
  const info = element(id.info, element(id.timestampScale, [uint(millisecond)]))
  const track = element(id.trackEntry, [
    ...element(id.trackNumber, [uint(1)]),
    ...element(id.trackUid, [uint(1)]),
    ...element(id.trackType, [uint(1)]),
    ...element(id.codecId, [ascii(codecIds[format.codec])]),
    ...element(id.video, [
      ...element(id.pixelWidth, [uint(format.width)]),
      ...element(id.pixelHeight, [uint(format.height)]),
    ]),
  ])
  return concatBytes([...ebmlHeader('matroska'), longHeader(id.segment), ...info, ...element(id.tracks, track)])
}

/** One access unit as a cluster of its own. @param timeMs not negative, whole ms from a beginning of the caller's */
export function matroskaUnit(unit: AccessUnit, timeMs: number): Uint8Array {
  const isNal = unit.codec === 'h264' || unit.codec === 'h265'
  const data = isNal ? joinAnnexB(unit.data) : Buffer.concat(unit.data)
  return writeClusters([{ track: 1, timeMs, keyframe: unit.keyframe, reference: unit.reference, data: [data] }])
}
