import { createHash } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { boxAt } from '@porchlight/proto/media/fmp4/boxes.ts'
import { maxReferences, segmentIndex } from '@porchlight/proto/media/fmp4/fragment.ts'
import {
  audioTrack,
  readInit,
  videoTimescale,
  videoTrack,
  withDuration,
} from '@porchlight/proto/media/fmp4/init-segment.ts'
import { zeroTimes } from './movie-times.ts'
import type { PartBytes } from './part-bytes.ts'
import type { RecordedPart } from './recorded-parts.ts'

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
 * parts moved to a timeline that begins with the first picture and has no pauses.
 * @param parts in order, at least one
 * @throws PorchlightError `recording_empty`, `recording_mixed`, `recording_not_found`
 */
export async function movieOf(parts: readonly RecordedPart[], source: PartBytes): Promise<Movie> {
  if (parts.length === 0) throw new PorchlightError('recording_empty')
  const zeros = zeroTimes(parts)
  const main = await mainConfig(parts, source)
  const init = withDuration(main.init, parts.at(-1)!.end_ms - zeros.at(-1)!)
  const references = parts.slice(0, maxReferences).map((part, index) => {
    const next = parts[index + 1]
    const nextMs = next ? next.start_ms - zeros[index + 1]! : part.end_ms - zeros[index]!
    const duration = Math.max(0, Math.round(((nextMs - part.start_ms + zeros[index]!) * videoTimescale) / 1_000))
    return { bytes: part.bytes, duration, keyframe: part.keyframe === 1 }
  })
  const index = segmentIndex(videoTrack, videoTimescale, 0, references)
  const pieces: Piece[] = [
    { bytes: init.byteLength, load: () => init },
    { bytes: index.byteLength, load: () => index },
    ...parts.map((part, number) => ({
      bytes: part.bytes,
      // sound of another codec has no place under this init segment
      load: () => source.part(part, zeros[number]!, number + 1, main.fitting.has(part.config)),
    })),
  ]
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  // files are immutable: what stands at a place stays the same
  const places = parts.map(({ path, offset, bytes: size, until_ms: untilMs }) => [path, offset, size, untilMs])
  const hash = createHash('sha256').update(JSON.stringify([main.config, places]))
  return { bytes, etag: `"${hash.digest('base64url').slice(0, 22)}"`, read: (from, to) => readPieces(pieces, from, to) }
}

/** Kind of the first entry of a sample description (`stsd`). */
function sampleEntry(description: Uint8Array | undefined): string | undefined {
  return description && boxAt(description, 16)?.type
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
      const descriptions = readInit(init)?.descriptions
      const sound = descriptions?.get(audioTrack)
      const picture = sampleEntry(descriptions?.get(videoTrack))
      return { config, init, time, picture, sound: sound && Buffer.from(sound).toString('base64') }
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
