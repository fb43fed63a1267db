import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { type ClipRange, checkRange } from './clip-range.ts'
import { type Groups, groupsOf } from './groups.ts'
import { type Movie, movieOf } from './movie.ts'
import { skippedPauseMs } from './movie-times.ts'
import { leadMs, PartBytes } from './part-bytes.ts'
import { longestGopMs, maxParts, type RecordedPart, recordedParts } from './recorded-parts.ts'
import { playlistOf, type SegmentUris, segmentsOf } from './segments.ts'

/** What one clip may be. */
export interface ClipLimits {
  /** ms */
  longestMs: number
  parts: number
}
/** Groups of pictures that are asked for at once show no more, ms. */
const longestGroupsMs = 60_000

const ordinary: ClipLimits = { longestMs: 4 * 60 * 60_000, parts: maxParts }

/** Plays any time of any camera, as far as it is recorded: as one MP4 (VP8: WebM), and as HLS. Pauses are skipped. */
export class Clips {
  readonly #db: Kysely<Schema>
  readonly #source: PartBytes
  readonly #limits: ClipLimits

  /** @param directory the recordings directory */
  constructor({ db, directory, limits = ordinary }: { db: Kysely<Schema>; directory: string; limits?: ClipLimits }) {
    this.#db = db
    this.#source = new PartBytes(directory)
    this.#limits = limits
  }

  /** @throws PorchlightError `range_invalid`, `range_too_long`, `range_empty`, `recording_mixed`, `recording_not_found` */
  async movie(range: ClipRange): Promise<Movie> {
    return movieOf(await this.#parts(range), this.#source)
  }

  /**
   * The groups of pictures that show `range`, at most a minute of it, for a player that goes to a moment and on from there.
   * @param zeroMs capture time that is 0 in their timeline, at least a minute ahead of `range`
   * @throws PorchlightError `request_invalid`, `range_invalid`, `range_too_long`, `range_empty`, `recording_not_found`
   */
  async groups(range: ClipRange, zeroMs: number): Promise<Groups> {
    checkRange(range, longestGroupsMs)
    const { camera, fromMs, toMs } = range
    if (zeroMs > fromMs - leadMs) throw new PorchlightError('request_invalid', 'zero must be a minute before from')
    const around = { camera, fromMs: fromMs - skippedPauseMs, toMs: toMs + longestGopMs }
    return groupsOf((await recordedParts(this.#db, around)).parts, range, zeroMs, this.#source)
  }

  /** What there is now: it has an end. @throws PorchlightError `range_invalid`, `range_too_long`, `range_empty`, `recording_no_hls` */
  async playlist(range: ClipRange, uris: SegmentUris): Promise<string> {
    return playlistOf(segmentsOf(await this.#parts(range), false), false, uris)
  }

  /**
   * The bytes of one segment of the playlist of `range`. Only what stands around it is looked at.
   * @throws PorchlightError `range_invalid`, `range_too_long`, `recording_not_found`
   */
  async segment(range: ClipRange, id: number): Promise<Uint8Array> {
    checkRange(range, this.#limits.longestMs)
    const { camera, fromMs } = range
    const first = await this.#db
      .selectFrom('parts')
      .select(['run', 'last_frame', 'start_ms'])
      .where('id', '=', id)
      .where('camera', '=', camera)
      .executeTakeFirst()
    if (first === undefined) throw new PorchlightError('recording_not_found')
    const next = await this.#db
      .selectFrom('parts')
      .select('start_ms')
      .where('camera', '=', camera)
      .where('run', '=', first.run)
      .where('first_frame', '>', first.last_frame)
      .where('start_ms', '>', first.start_ms)
      .where('keyframe', '=', 1)
      .orderBy('first_frame')
      .limit(1)
      .executeTakeFirst()
    const toMs = Math.min(next?.start_ms ?? range.toMs, range.toMs)
    const { parts } = await recordedParts(this.#db, { camera, fromMs: first.start_ms, toMs })
    const segments = segmentsOf(parts, false)
    // what speaks for that time may be another part by now
    const segment =
      segments.find((candidate) => candidate.id === id) ??
      segments.find(({ startMs, endMs }) => startMs <= first.start_ms && first.start_ms < endMs)
    if (segment === undefined) throw new PorchlightError('recording_not_found')
    return this.#source.segment(segment, fromMs)
  }

  /** The init segment of one of the camera's configurations. @throws PorchlightError `recording_not_found` */
  async init(camera: string, config: string): Promise<Uint8Array> {
    const file = await this.#db
      .selectFrom('files')
      .select(['path', 'init_bytes', 'config'])
      .where('config', '=', config)
      .where('camera', '=', camera)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (file === undefined) throw new PorchlightError('recording_not_found')
    return this.#source.init(file)
  }

  async #parts(range: ClipRange): Promise<RecordedPart[]> {
    checkRange(range, this.#limits.longestMs)
    const { parts, whole } = await recordedParts(this.#db, range, this.#limits.parts)
    if (!whole) throw new PorchlightError('range_too_long', `it has more than ${this.#limits.parts} parts`)
    if (parts.length === 0) throw new PorchlightError('range_empty')
    return parts
  }
}
