import type { AudioFormat, VideoFormat } from '../access-unit.ts'
import { concatBytes } from '../bytes.ts'
import { ascii } from '../fmp4/boxes.ts'
import { audioTrack, videoTrack } from '../fmp4/init-segment.ts'
import {
  child,
  content,
  type ElementPlace,
  element,
  elementAt,
  float64,
  id,
  longHeader,
  millisecond,
  readUint,
  sizeOf,
  uint,
  walk,
} from './ebml.ts'

const codecIds = { vp8: 'V_VP8', opus: 'A_OPUS' } as const
const soundType = 2
/** Opus decodes so long before its sound is right, ns (RFC 9559 §28.3.2). */
const opusPreRoll = 80_000_000
/** The place of the duration where it is not known: an element of the same size that says nothing. */
const noDuration = element(id.void, [new Uint8Array(9)])

/** Whether a file, or its beginning, is EBML: of our recordings, those in WebM. */
export function isWebm(bytes: Uint8Array): boolean {
  return bytes.byteLength >= 4 && readUint(bytes.subarray(0, 4)) === id.ebml
}

/**
 * What a WebM file begins with (webmproject.org/docs/container): header, segment without an end, tracks. Track 1 is VP8,
 * track 2 Opus. Times count in ms. The same streams give the same bytes.
 */
export function webmHeader(video: Pick<VideoFormat, 'width' | 'height'>, audio: AudioFormat | undefined): Uint8Array {
  const info = [
    ...element(id.timestampScale, [uint(millisecond)]),
    ...noDuration,
    ...element(id.muxingApp, [ascii('Porchlight')]),
    ...element(id.writingApp, [ascii('Porchlight')]),
  ]
  const picture = element(id.video, [
    ...element(id.pixelWidth, [uint(video.width)]),
    ...element(id.pixelHeight, [uint(video.height)]),
  ])
  const tracks = [...track(videoTrack, 1, codecIds.vp8, picture), ...(audio ? soundTrack(audio) : [])]
  return concatBytes([
    ...ebmlHeader('webm'),
    longHeader(id.segment),
    ...element(id.info, info),
    ...element(id.tracks, tracks),
  ])
}

/** The first element of a file (RFC 8794 §11.2). */
export function ebmlHeader(docType: 'matroska' | 'webm'): Uint8Array[] {
  return element(id.ebml, [
    ...element(id.docType, [ascii(docType)]),
    ...element(id.docTypeVersion, [uint(4)]),
    ...element(id.docTypeReadVersion, [uint(2)]),
  ])
}

function track(number: number, type: number, codec: string, more: readonly Uint8Array[]): Uint8Array[] {
  return element(id.trackEntry, [
    ...element(id.trackNumber, [uint(number)]),
    ...element(id.trackUid, [uint(number)]),
    ...element(id.trackType, [uint(type)]),
    ...element(id.flagLacing, [uint(0)]),
    ...element(id.language, [ascii('und')]),
    ...element(id.codecId, [ascii(codec)]),
    ...more,
  ])
}

/** Capture times need no pre-skip: it is 0, and so is CodecDelay. */
function soundTrack({ channels }: AudioFormat): Uint8Array[] {
  // OpusHead (RFC 7845 §5.1): version, channels, pre-skip, rate of the input, gain, mapping family; little endian
  const count = Math.min(channels, 2)
  const opusHead = [...ascii('OpusHead'), 1, count, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]
  const format = [...element(id.samplingFrequency, [float64(48_000)]), ...element(id.channels, [uint(count)])]
  return track(audioTrack, soundType, codecIds.opus, [
    ...element(id.codecPrivate, [Uint8Array.from(opusHead)]),
    ...element(id.seekPreRoll, [uint(opusPreRoll)]),
    ...element(id.audio, format),
  ])
}

/** What a reader must know of a file's beginning to go on with its clusters. */
export interface WebmInfo {
  /** The sound; undefined where there is none. */
  audio: AudioFormat | undefined
}

/** Reads the beginning of a file of ours; undefined where it is none. Never throws. */
export function readWebmHeader(bytes: Uint8Array): WebmInfo | undefined {
  const tracks = inSegment(bytes, id.tracks)
  if (tracks === undefined) return undefined
  for (const place of walk(bytes, tracks.body, tracks.end)) {
    if (place.id !== id.trackEntry || readUint(content(bytes, id.trackType, place) ?? []) !== soundType) continue
    const format = child(bytes, id.audio, place)
    const channels = format && content(bytes, id.channels, format)
    return channels && { audio: { codec: 'opus', clockRate: 48_000, channels: readUint(channels) } }
  }
  return { audio: undefined }
}

/** The segment of a file: everything but the header. */
export function segmentOf(bytes: Uint8Array): ElementPlace | undefined {
  const head = elementAt(bytes, 0)
  const segment = head?.id === id.ebml ? elementAt(bytes, head.end) : undefined
  return segment?.id === id.segment ? segment : undefined
}

function inSegment(bytes: Uint8Array, elementId: number): ElementPlace | undefined {
  const segment = segmentOf(bytes)
  return segment && child(bytes, elementId, segment)
}

/**
 * The beginning of a whole file: that of a recording with its duration and its end.
 * @param header as {@link webmHeader} makes it
 * @param restBytes bytes that follow it
 * @returns undefined where `header` is none of ours
 */
export function wholeHeader(header: Uint8Array, durationMs: number, restBytes: number): Uint8Array | undefined {
  const segment = segmentOf(header)
  const info = inSegment(header, id.info)
  const duration = info && child(header, id.void, info)
  if (segment === undefined || duration === undefined || duration.end - duration.start !== sizeOf(noDuration))
    return undefined
  const bytes = header.slice()
  bytes.set(longHeader(id.segment, header.byteLength - segment.body + restBytes), segment.start)
  bytes.set(concatBytes(element(id.duration, [float64(durationMs)])), duration.start)
  return bytes
}
