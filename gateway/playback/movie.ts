import { createHash } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { maxReferences, segmentIndex } from '@porchlight/proto/media/fmp4/fragment.ts'
import {
  audioTrack,
  readInit,
  videoTimescale,
  videoTrack,
  withDuration,
} from '@porchlight/proto/media/fmp4/init-segment.ts'
import type { EventPart } from './event-parts.ts'
import type { PartBytes } from './part-bytes.ts'

/** One MP4 made of parts while it is read. */
export interface Movie {
  bytes: number
  /** Changes whenever the bytes do. */
  etag: string
  /** Bytes `from`…`to` (inclusive). @throws PorchlightError `recording_not_found` */
  read(from: number, to: number): AsyncIterable<Uint8Array>
}

interface Piece {
  bytes: number
  load(): Promise<Uint8Array> | Uint8Array
}

/**
 * Puts parts together to one file that players can show and seek in: init segment with the duration, segment index,
 * parts moved to a timeline that begins with the first picture.
 * @param parts in order, at least one
 * @throws PorchlightError `recording_empty`, `recording_not_found`
 */
export async function movieOf(parts: readonly EventPart[], source: PartBytes): Promise<Movie> {
  const first = parts[0]
  if (first === undefined) throw new PorchlightError('recording_empty')
  const zeroMs = first.start_ms
  const main = await mainConfig(parts, source)
  const init = withDuration(main.init, parts.at(-1)!.end_ms - zeroMs)
  const listed = parts.slice(0, maxReferences)
  const references = listed.map((part, index) => {
    const next = listed[index + 1]?.start_ms ?? part.end_ms
    const duration = Math.max(0, Math.round(((next - part.start_ms) * videoTimescale) / 1_000))
    return { bytes: part.bytes, duration, keyframe: part.keyframe === 1 }
  })
  const index = segmentIndex(videoTrack, videoTimescale, 0, references)
  const pieces: Piece[] = [
    { bytes: init.byteLength, load: () => init },
    { bytes: index.byteLength, load: () => index },
    ...parts.map((part, number) => ({
      bytes: part.bytes,
      // sound of another codec has no place under this init segment
      load: () => source.part(part, zeroMs, number + 1, main.fitting.has(part.config)),
    })),
  ]
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  const hash = createHash('sha256').update(JSON.stringify([main.config, parts.map((part) => part.id)]))
  return { bytes, etag: `"${hash.digest('base64url').slice(0, 22)}"`, read: (from, to) => readPieces(pieces, from, to) }
}

/** The configuration that most of the time is played under; one with sound where any part has sound. */
async function mainConfig(parts: readonly EventPart[], source: PartBytes): Promise<Main> {
  const configs = new Map<string, { part: EventPart; time: number }>()
  for (const part of parts) {
    const known = configs.get(part.config) ?? { part, time: 0 }
    configs.set(part.config, { part: known.part, time: known.time + part.end_ms - part.start_ms })
  }
  const known = await Promise.all(
    [...configs].map(async ([config, { part, time }]) => {
      const init = await source.init(part)
      const sound = readInit(init)?.descriptions.get(audioTrack)
      return { config, init, time, sound: sound && Buffer.from(sound).toString('base64') }
    }),
  )
  const main = known.toSorted(
    (a, b) => Number(b.sound !== undefined) - Number(a.sound !== undefined) || b.time - a.time,
  )[0]!
  const fitting = new Set(known.filter(({ sound }) => sound === main.sound).map(({ config }) => config))
  return { init: main.init, config: main.config, fitting }
}

interface Main {
  init: Uint8Array
  config: string
  /** Configurations whose sound plays under this init segment. */
  fitting: ReadonlySet<string>
}

async function* readPieces(pieces: readonly Piece[], from: number, to: number): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const piece of pieces) {
    const end = at + piece.bytes
    if (at > to) return
    if (end > from) {
      const bytes = await piece.load()
      yield bytes.subarray(Math.max(0, from - at), Math.min(piece.bytes, to + 1 - at))
    }
    at = end
  }
}
