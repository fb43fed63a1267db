import { type Kysely, sql } from 'kysely'
import type { Schema } from '../../store/schema.ts'
import type { EventFacts, FileFacts } from './facts.ts'

/** Rows of one query: more would keep the index, and the thread that reads them, from others for too long. */
const pageRows = 2_000
/** Files whose parts are summed up by one query. */
const sumRows = 200

/**
 * Writes into the index what the parts of closed files add up to, where that is not known yet.
 * @throws PorchlightError `index_failed`
 */
export async function sumUpFiles(db: Kysely<Schema>, signal?: AbortSignal): Promise<void> {
  while (!signal?.aborted) {
    const { numUpdatedRows } = await db
      .updateTable('files')
      .set(({ selectFrom, fn, ref }) => {
        const parts = selectFrom('parts').whereRef('parts.file_id', '=', 'files.id')
        return {
          bytes: fn.coalesce(
            parts.select(sql<number>`max(parts."offset" + parts.bytes)`.as('bytes')),
            ref('files.init_bytes'),
          ),
          start_ms: fn.coalesce(
            parts.select(({ fn: of }) => of.min('parts.start_ms').as('from')),
            ref('files.base_ms'),
          ),
          end_ms: fn.coalesce(
            parts.select(({ fn: of }) => of.max('parts.end_ms').as('to')),
            ref('files.base_ms'),
          ),
        }
      })
      .where('files.id', 'in', (where) =>
        where
          .selectFrom('files as unknown')
          .select('unknown.id')
          .where('unknown.bytes', 'is', null)
          .where('unknown.closed', '=', 1)
          .limit(sumRows),
      )
      .executeTakeFirstOrThrow()
    if (numUpdatedRows < BigInt(sumRows)) return
  }
}

/** All files, page by page. @throws PorchlightError `index_failed` */
export async function readFiles(db: Kysely<Schema>): Promise<FileFacts[]> {
  const files: FileFacts[] = []
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('files')
      .select([
        'id',
        'camera',
        'start_ms',
        'end_ms',
        'base_ms',
        'created_at',
        'bytes',
        'init_bytes',
        'closed',
        'removing',
      ])
      .where('id', '>', after)
      .orderBy('id')
      .limit(pageRows)
      .execute()
    for (const row of rows) {
      files.push({
        id: row.id,
        camera: row.camera,
        startMs: row.start_ms ?? row.base_ms,
        endMs: row.end_ms ?? row.base_ms,
        createdAt: row.created_at,
        bytes: row.bytes ?? row.init_bytes,
        removable: row.closed === 1 && row.removing === 0,
      })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageRows) break
    after = last.id
  }
  await countParts(db, files)
  return files
}

/** Files that are not summed up, because they are being written: few, and their parts are counted each time. */
async function countParts(db: Kysely<Schema>, files: readonly FileFacts[]): Promise<void> {
  const growing = await db
    .selectFrom('files')
    .innerJoin('parts', 'parts.file_id', 'files.id')
    .select(({ fn }) => [
      'files.id',
      fn.sum<number>('parts.bytes').as('bytes'),
      fn.min('parts.start_ms').as('startMs'),
      fn.max('parts.end_ms').as('endMs'),
    ])
    .where('files.bytes', 'is', null)
    .groupBy('files.id')
    .execute()
  const byId = new Map(growing.map((row) => [row.id, row]))
  if (byId.size === 0) return
  for (const file of files) {
    const row = byId.get(file.id)
    if (row) Object.assign(file, { bytes: file.bytes + row.bytes, startMs: row.startMs, endMs: row.endMs })
  }
}

/** All events, page by page. @throws PorchlightError `index_failed` */
export async function readEvents(db: Kysely<Schema>): Promise<EventFacts[]> {
  const events: EventFacts[] = []
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('events')
      .select(['id', 'camera', 'kind', 'record_from', 'record_to', 'protected'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(pageRows)
      .execute()
    for (const row of rows) {
      events.push({
        id: row.id,
        camera: row.camera,
        kind: row.kind,
        fromMs: row.record_from,
        toMs: row.record_to,
        protected: row.protected === 1,
      })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageRows) return events
    after = last.id
  }
}
