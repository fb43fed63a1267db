import { asPorchlightError } from '@porchlight/proto/errors.ts'
import { type Kysely, sql } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../../store/schema.ts'
import type { Disk } from '../disk.ts'
import { leadMs } from './needs.ts'

/** Files that could not be deleted and are tried again in one round. */
const mostAgain = 500
/** With less on the disk even the index cannot be written, bytes. */
const indexNeeds = 16_000_000

export interface RemoveOptions {
  db: Kysely<Schema>
  disk: Pick<Disk, 'remove'>
  log: Pick<Logger, 'warn' | 'error'>
}

/**
 * Takes the parts of closed files out of the index, so that nobody is promised them any more; their names stay until they
 * are deleted. What somebody has protected meanwhile stays as it is.
 * @returns ids of the files that may be deleted now
 * @throws PorchlightError `index_failed`
 */
export async function takeOut(
  options: RemoveOptions,
  ids: readonly number[],
  freeBytes: number,
): Promise<readonly number[]> {
  try {
    return await takeOutOfIndex(options.db, ids)
  } catch (error) {
    // On a full disk the index cannot be written before something is deleted.
    const [first] = freeBytes < indexNeeds ? await unprotected(options.db, ids) : []
    if (first === undefined) throw error
    options.log.warn({ code: 'disk_full', file: first.path }, 'deleted ahead of the index, which has no room')
    await options.disk.remove(first.path)
    return takeOutOfIndex(options.db, ids)
  }
}

function takeOutOfIndex(db: Kysely<Schema>, ids: readonly number[]): Promise<readonly number[]> {
  return db.transaction().execute(async (transaction) => {
    const free = (await unprotected(transaction, ids)).map(({ id }) => id)
    if (free.length === 0) return []
    await transaction.updateTable('files').set({ removing: 1 }).where('id', 'in', free).execute()
    await transaction.deleteFrom('parts').where('file_id', 'in', free).execute()
    return free
  })
}

function unprotected(db: Kysely<Schema>, ids: readonly number[]) {
  return db
    .selectFrom('files')
    .select(['id', 'path'])
    .where('id', 'in', ids)
    .where('closed', '=', 1)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('events')
            .select('events.id')
            .whereRef('events.camera', '=', 'files.camera')
            .where('events.protected', '=', 1)
            .where(sql<number>`events.record_from - ${leadMs}`, '<=', sql.ref<number>('files.end_ms'))
            .where(({ or, eb, ref }) =>
              or([eb('events.record_to', 'is', null), eb('events.record_to', '>=', ref('files.start_ms'))]),
            ),
        ),
      ),
    )
    .execute()
}

/**
 * Deletes files that were taken out of the index.
 * @param ids default: those that could not be deleted before
 * @returns ids of those that are gone, and how many could not be deleted
 * @throws PorchlightError `index_failed`
 */
export async function unlinkTakenOut(
  { db, disk, log }: RemoveOptions,
  ids?: readonly number[],
): Promise<{ gone: Set<number>; failed: number }> {
  let query = db.selectFrom('files').select(['id', 'path', 'camera']).where('removing', '=', 1).limit(mostAgain)
  if (ids) query = query.where('id', 'in', ids)
  const rows = ids?.length === 0 ? [] : await query.execute()
  const gone = new Set<number>()
  for (const { id, path, camera } of rows) {
    try {
      await disk.remove(path)
      gone.add(id)
    } catch (error) {
      const { code } = asPorchlightError(error, 'disk_failed')
      log.error({ camera, file: path, code, err: error }, 'a recording could not be deleted')
    }
  }
  if (gone.size > 0)
    await db
      .deleteFrom('files')
      .where('id', 'in', [...gone])
      .execute()
  return { gone, failed: rows.length - gone.size }
}
