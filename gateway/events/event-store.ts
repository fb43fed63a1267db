import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { EventKind } from '@porchlight/proto/messages/event.ts'
import type { Kysely, Selectable } from 'kysely'
import type { Schema } from '../store/schema.ts'

/** An event as the gateway keeps it. Times are ms since the Unix epoch, on the device's clock. */
export interface StoredEvent {
  id: string
  /** Camera id `{device}.{camera}`. */
  camera: string
  kind: EventKind
  beginAt: number
  /** null while it goes on */
  endAt: number | null
  /** Recording wanted from … to (begin − pre-roll, end + post-roll). */
  recordFrom: number
  recordTo: number | null
  hasStill: boolean
  /** Its footage is never deleted by itself. */
  protected: boolean
}

export interface EventQuery {
  cameras?: readonly string[] | undefined
  /** Only events begun before. */
  before?: number | undefined
  limit: number
}

/** The events table. */
export class EventStore {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  /** Writes an event as it is now; `still_path` belongs to the stills, `protected` to people. Idempotent. */
  async put(event: StoredEvent): Promise<void> {
    const row = {
      begin_at: event.beginAt,
      end_at: event.endAt,
      record_from: event.recordFrom,
      record_to: event.recordTo,
    }
    await this.#db
      .insertInto('events')
      .values({ id: event.id, camera: event.camera, kind: event.kind, still_path: null, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute()
  }

  /** @throws PorchlightError `event_not_found` */
  async protect(id: string, isProtected: boolean): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('events')
      .set({ protected: isProtected ? 1 : 0 })
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    if (numUpdatedRows === 0n) throw new PorchlightError('event_not_found')
  }

  async find(id: string): Promise<StoredEvent | undefined> {
    const row = await this.#db.selectFrom('events').selectAll().where('id', '=', id).executeTakeFirst()
    return row && toEvent(row)
  }

  /** @throws PorchlightError `event_not_found` */
  async get(id: string): Promise<StoredEvent> {
    const event = await this.find(id)
    if (!event) throw new PorchlightError('event_not_found')
    return event
  }

  /** Newest first. */
  async list({ cameras, before, limit }: EventQuery): Promise<StoredEvent[]> {
    let query = this.#db.selectFrom('events').selectAll().orderBy('begin_at', 'desc').orderBy('id').limit(limit)
    if (cameras) query = query.where('camera', 'in', [...cameras])
    if (before !== undefined) query = query.where('begin_at', '<', before)
    return (await query.execute()).map(toEvent)
  }

  /** Those that had not ended when the gateway did. */
  async open(): Promise<StoredEvent[]> {
    const rows = await this.#db.selectFrom('events').selectAll().where('end_at', 'is', null).execute()
    return rows.map(toEvent)
  }

  async newestIds(limit: number): Promise<string[]> {
    const rows = await this.#db.selectFrom('events').select('id').orderBy('begin_at', 'desc').limit(limit).execute()
    return rows.map((row) => row.id)
  }
}

function toEvent(row: Selectable<Schema['events']>): StoredEvent {
  return {
    id: row.id,
    camera: row.camera,
    kind: row.kind,
    beginAt: row.begin_at,
    endAt: row.end_at,
    recordFrom: row.record_from,
    recordTo: row.record_to,
    hasStill: row.still_path !== null,
    protected: row.protected === 1,
  }
}
