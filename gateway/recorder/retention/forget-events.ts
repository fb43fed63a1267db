import { asPorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../../store/schema.ts'
import type { RemoveOptions } from './remove-files.ts'

/** Events of one query. */
const batchEvents = 100

/**
 * Deletes events and their stills, but for those that are protected or of which footage is still there.
 * @returns how many are forgotten
 * @throws PorchlightError `index_failed`
 */
export async function forgetEvents(
  { db, disk, log, signal }: RemoveOptions & { signal?: AbortSignal },
  ids: readonly string[],
): Promise<number> {
  let forgotten = 0
  for (let at = 0; at < ids.length && !signal?.aborted; at += batchEvents) {
    const rows = await forgettable(db, ids.slice(at, at + batchEvents)).execute()
    const gone: string[] = []
    for (const { id, still_path: still } of rows) {
      try {
        if (still !== null) await disk.remove(still)
        gone.push(id)
      } catch (error) {
        const { code } = asPorchlightError(error, 'disk_failed')
        log.error({ event: id, file: still, code, err: error }, 'a still could not be deleted')
      }
    }
    if (gone.length === 0) continue
    const deleted = await db
      .deleteFrom('events')
      .where('protected', '=', 0)
      .where('id', 'in', gone)
      .executeTakeFirstOrThrow()
    forgotten += Number(deleted.numDeletedRows)
  }
  return forgotten
}

function forgettable(db: Kysely<Schema>, ids: readonly string[]) {
  return db
    .selectFrom('events')
    .select(['id', 'still_path'])
    .where('id', 'in', ids)
    .where('protected', '=', 0)
    .where('record_to', 'is not', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('files')
            .select('files.id')
            .whereRef('files.camera', '=', 'events.camera')
            .whereRef('files.start_ms', '<=', 'events.record_to')
            .whereRef('files.end_ms', '>=', 'events.record_from'),
        ),
      ),
    )
}
