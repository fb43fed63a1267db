import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { type PartSpan, selectParts } from './select-parts.ts'

/** A group of pictures may begin so much before the time that is asked for, ms. */
const longestGopMs = 30_000
/** Parts of one event: more than four hours. */
const maxParts = 20_000

export interface EventPart extends PartSpan {
  id: number
  path: string
  base_ms: number
  init_bytes: number
  config: string
  offset: number
  bytes: number
}

/** What is recorded of an event. */
export interface EventParts {
  camera: string
  /** Wanted from … to; `toMs` is undefined while the event goes on. */
  fromMs: number
  toMs: number | undefined
  parts: EventPart[]
  gaps: [number, number][]
}

/** @throws PorchlightError `event_not_found`, `index_failed` */
export async function eventParts(db: Kysely<Schema>, eventId: string): Promise<EventParts> {
  const event = await db
    .selectFrom('events')
    .select(['camera', 'record_from', 'record_to'])
    .where('id', '=', eventId)
    .executeTakeFirst()
  if (event === undefined) throw new PorchlightError('event_not_found')
  const toMs = event.record_to ?? undefined
  let query = db
    .selectFrom('parts')
    .innerJoin('files', 'files.id', 'parts.file_id')
    .select(['parts.id', 'files.path', 'files.base_ms', 'files.init_bytes', 'files.config'])
    .select(['parts.run', 'parts.first_frame', 'parts.last_frame', 'parts.keyframe'])
    .select(['parts.start_ms', 'parts.end_ms', 'parts.offset', 'parts.bytes', 'parts.generation'])
    .where('parts.camera', '=', event.camera)
    .where('parts.start_ms', '>', event.record_from - longestGopMs)
    .where('parts.end_ms', '>', event.record_from - longestGopMs)
    .orderBy('parts.start_ms')
    .limit(maxParts)
  if (toMs !== undefined) query = query.where('parts.start_ms', '<', toMs)
  const rows: EventPart[] = await query.execute()
  const selection = selectParts(rows, event.record_from, toMs ?? Number.POSITIVE_INFINITY)
  return { camera: event.camera, fromMs: event.record_from, toMs, ...selection }
}
