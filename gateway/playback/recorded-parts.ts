import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { type PartSpan, type Selection, selectParts } from './select-parts.ts'

/** A group of pictures may begin so much before the time that is asked for, ms. */
export const longestGopMs = 30_000
/** Parts of one event or clip: more than four hours. */
export const maxParts = 20_000

/** A time of a camera, ms since the Unix epoch. */
export interface CameraRange {
  camera: string
  fromMs: number
  /** undefined: as far as there is something */
  toMs: number | undefined
}

/** A part and where it stands. */
export interface RecordedPart extends PartSpan {
  id: number
  path: string
  base_ms: number
  init_bytes: number
  config: string
  audio_json: string
  offset: number
  bytes: number
}

/** What to play of a time, and what is missing in it. */
export interface Recorded extends Selection<RecordedPart> {
  /** False where there is more: only the first were looked at. */
  whole: boolean
}

/** @param most parts that are looked at @throws PorchlightError `index_failed` */
export async function recordedParts(db: Kysely<Schema>, range: CameraRange, most = maxParts): Promise<Recorded> {
  const { camera, fromMs, toMs } = range
  let query = db
    .selectFrom('parts')
    .innerJoin('files', 'files.id', 'parts.file_id')
    .select(['parts.id', 'files.path', 'files.base_ms', 'files.init_bytes', 'files.config'])
    .select(['parts.run', 'parts.first_frame', 'parts.last_frame', 'parts.keyframe', 'parts.audio_json'])
    .select(['parts.start_ms', 'parts.end_ms', 'parts.offset', 'parts.bytes', 'parts.generation'])
    .where('parts.camera', '=', camera)
    .where('parts.start_ms', '>', fromMs - longestGopMs)
    .where('parts.end_ms', '>', fromMs - longestGopMs)
    .orderBy('parts.start_ms')
    .limit(most)
  if (toMs !== undefined) query = query.where('parts.start_ms', '<', toMs)
  const rows: RecordedPart[] = await query.execute()
  return { ...selectParts(rows, fromMs, toMs ?? Number.POSITIVE_INFINITY), whole: rows.length < most }
}

/** The time that is to be recorded of an event; its end is open while the event goes on. @throws PorchlightError `event_not_found`, `index_failed` */
export async function eventRange(db: Kysely<Schema>, eventId: string): Promise<CameraRange> {
  const event = await db
    .selectFrom('events')
    .select(['camera', 'record_from', 'record_to'])
    .where('id', '=', eventId)
    .executeTakeFirst()
  if (event === undefined) throw new PorchlightError('event_not_found')
  return { camera: event.camera, fromMs: event.record_from, toMs: event.record_to ?? undefined }
}
