import { createHash } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { describeInit } from './describe-init.ts'
import { movieHead } from './movie-head.ts'
import { zeroTimes } from './movie-times.ts'
import type { PartBytes } from './part-bytes.ts'
import type { RecordedPart } from './recorded-parts.ts'

/** One file (MP4, or WebM with VP8) made of parts while it is read. */
export interface Movie {
  /** Its media type. */
  type: 'video/mp4' | 'video/webm'
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
 * Puts parts together to one file that players can show and seek in: its beginning with the
 * duration and an index, parts moved to a timeline that begins with the first picture and has no pauses.
 * @param parts in order, at least one
 * @throws PorchlightError `recording_empty`, `recording_mixed`, `recording_not_found`
 */
export async function movieOf(parts: readonly RecordedPart[], source: PartBytes): Promise<Movie> {
  if (parts.length === 0) throw new PorchlightError('recording_empty')
  const zeros = zeroTimes(parts)
  const main = await mainConfig(parts, source)
  const head = movieHead(main.init, parts, zeros)
  const pieces: Piece[] = [
    ...head.bytes.map((bytes) => ({ bytes: bytes.byteLength, load: () => bytes })),
    ...parts.map((part, number) => ({
      bytes: part.bytes,
      // sound of another codec has no place under this init segment
      load: () => source.part(part, zeros[number]!, number + 1, main.fitting.has(part.config)),
    })),
  ]
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  // files are immutable: what stands at a place stays the same
  const places = parts.map(({ path, offset, bytes: size }) => [path, offset, size])
  const hash = createHash('sha256').update(JSON.stringify([main.config, places]))
  const etag = `"${hash.digest('base64url').slice(0, 22)}"`
  return { type: head.type, bytes, etag, read: (from, to) => readPieces(pieces, from, to) }
}

/** The configuration that most of the time is played under; one with sound where any part has sound. @throws PorchlightError `recording_mixed`, `recording_not_found` */
async function mainConfig(parts: readonly RecordedPart[], source: PartBytes): Promise<Main> {
  const configs = new Map<string, { part: RecordedPart; time: number }>()
  for (const part of parts) {
    const known = configs.get(part.config) ?? { part, time: 0 }
    configs.set(part.config, { part: known.part, time: known.time + part.end_ms - part.start_ms })
  }
  const known = await Promise.all(
    [...configs].map(async ([config, { part, time }]) => {
      const init = await source.init(part)
      return { config, init, time, ...describeInit(init) }
    }),
  )
  if (new Set(known.map(({ picture }) => picture)).size > 1) throw new PorchlightError('recording_mixed')
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
