import type { AudioFormat } from '../access-unit.ts'
import { audioEntry, audioEntryCodecs } from './audio-entry.ts'
import { ascii, type BoxContent, box, boxAt, child, fullBox, u8, u16, u32, u64, viewOf, walk, zeros } from './boxes.ts'
import type { VideoEntry } from './video-entry.ts'

export const videoTrack = 1
export const audioTrack = 2
/** Ticks per second of a video track: RTP's, so that nothing is rounded. */
export const videoTimescale = 90_000
/** Ticks per second of the movie header. */
const movieTimescale = 1_000

const matrix = [u32(0x10000), zeros(12), u32(0x10000), zeros(12), u32(0x40000000)]

/** `ftyp` and `moov` of a fragmented file (ISO/IEC 14496-12 §8.8): track 1 is video, track 2 sound. The same streams give the same bytes. */
export function initSegment(video: VideoEntry, audio: AudioFormat | undefined): Uint8Array {
  const movie = box(
    'moov',
    fullBox(
      'mvhd',
      0,
      0,
      u32(0),
      u32(0),
      u32(movieTimescale),
      u32(0),
      u32(0x10000),
      u16(0x100),
      zeros(10),
      ...matrix,
      zeros(24),
      u32(3),
    ),
    track(videoTrack, videoTimescale, video, 'vide', fullBox('vmhd', 0, 1, zeros(8)), video.entry),
    audio
      ? track(audioTrack, audio.clockRate, undefined, 'soun', fullBox('smhd', 0, 0, zeros(4)), audioEntry(audio))
      : [],
    box('mvex', fullBox('mehd', 1, 0, u64(0)), trackExtends(videoTrack), audio ? trackExtends(audioTrack) : []),
  )
  const type = box('ftyp', ascii('iso6'), u32(0), ascii('iso6'), ascii('mp41'))
  const bytes = new Uint8Array(type.length + movie.length)
  bytes.set(type)
  bytes.set(movie, type.length)
  return bytes
}

function trackExtends(id: number): Uint8Array {
  return fullBox('trex', 0, 0, u32(id), u32(1), u32(0), u32(0), u32(0))
}

function track(
  id: number,
  timescale: number,
  picture: { width: number; height: number } | undefined,
  handler: 'vide' | 'soun',
  mediaHeader: Uint8Array,
  entry: Uint8Array,
): Uint8Array {
  const empty = (type: string, ...more: BoxContent[]) => fullBox(type, 0, 0, ...more, u32(0))
  const table = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), entry),
    empty('stts'),
    empty('stsc'),
    empty('stsz', u32(0)),
    empty('stco'),
  )
  const data = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)))
  return box(
    'trak',
    fullBox(
      'tkhd',
      0,
      3, // enabled, in movie
      u32(0),
      u32(0),
      u32(id),
      u32(0),
      u32(0),
      zeros(8),
      u16(0),
      u16(0),
      u16(picture ? 0 : 0x100),
      u16(0),
      ...matrix,
      u32((picture?.width ?? 0) * 0x10000),
      u32((picture?.height ?? 0) * 0x10000),
    ),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0), u32(0), u32(timescale), u32(0), u16(0x55c4), u16(0)), // language: undetermined
      fullBox('hdlr', 0, 0, u32(0), ascii(handler), zeros(12), ascii(handler), u8(0)),
      box('minf', mediaHeader, data, table),
    ),
  )
}

/** What a reader must know of an init segment to go on with its fragments. */
export interface InitInfo {
  /** Ticks per second, by track id. */
  timescales: Map<number, number>
  /** The sample descriptions (`stsd`), by track id: streams with equal bytes go on in each other's place. */
  descriptions: Map<number, Uint8Array>
  /** The sound, without the decoder's configuration; undefined where there is none. */
  audio: AudioFormat | undefined
}

/** Reads `moov`; undefined where the bytes do not begin with a whole init segment. */
export function readInit(bytes: Uint8Array): InitInfo | undefined {
  const movie = child(bytes, 'moov')
  if (movie === undefined) return undefined
  const view = viewOf(bytes)
  const timescales = new Map<number, number>()
  const descriptions = new Map<number, Uint8Array>()
  for (const place of walk(bytes, movie.body, movie.end)) {
    if (place.type !== 'trak') continue
    const head = child(bytes, 'tkhd', place)
    const media = child(bytes, 'mdia', place)
    const mediaHead = media && child(bytes, 'mdhd', media)
    if (head === undefined || mediaHead === undefined) return undefined
    if (head.end < head.body + 16 || mediaHead.end < mediaHead.body + 16) return undefined
    const id = view.getUint32(head.body + 12)
    timescales.set(id, view.getUint32(mediaHead.body + 12))
    const information = media && child(bytes, 'minf', media)
    const table = information && child(bytes, 'stbl', information)
    const description = table && child(bytes, 'stsd', table)
    if (description) descriptions.set(id, bytes.subarray(description.start, description.end))
  }
  const sound = descriptions.get(audioTrack)
  return { timescales, descriptions, audio: sound && readAudio(sound, timescales.get(audioTrack) ?? 0) }
}

/** Reads the sound's format out of its sample description as {@link audioEntry} makes it. */
function readAudio(description: Uint8Array, clockRate: number): AudioFormat | undefined {
  const entry = boxAt(description, 16)
  const codec = audioEntryCodecs.get(entry?.type ?? '')
  if (entry === undefined || codec === undefined || entry.end < entry.body + 18) return undefined
  return { codec, clockRate, channels: viewOf(description).getUint16(entry.body + 16) }
}

/** A copy of an init segment of ours that says how long the whole is, so that players show it and can seek. */
export function withDuration(init: Uint8Array, durationMs: number): Uint8Array {
  const bytes = init.slice()
  const movie = child(bytes, 'moov')
  const extension = movie && child(bytes, 'mvex', movie)
  const header = extension && child(bytes, 'mehd', extension)
  if (header && header.end >= header.body + 12) bytes.set(u64(Math.round(durationMs)), header.body + 4)
  return bytes
}
