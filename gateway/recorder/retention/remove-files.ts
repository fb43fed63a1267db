import { asPorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { longestGopMs } from '../../playback/recorded-parts.ts'
import type { Schema } from '../../store/schema.ts'
import type { Disk } from '../disk.ts'
import type { FileFacts } from './facts.ts'

/** Files that could not be deleted and are tried again in one round. */
const mostAgain = 500

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
export function takeOut({ db }: RemoveOptions, files: readonly FileFacts[]): Promise<readonly number[]> {
  return db.transaction().execute(async (transaction) => {
    const ids = await unprotected(transaction, files)
    if (ids.length === 0) return []
    await transaction.updateTable('files').set({ removing: 1 }).where('id', 'in', ids).execute()
    await transaction.deleteFrom('parts').where('file_id', 'in', ids).execute()
    return ids
  })
}

/** Ids of the files that no event needs which is protected by now. */
async function unprotected(db: Kysely<Schema>, files: readonly FileFacts[]): Promise<number[]> {
  const events = await db
    .selectFrom('events')
    .select(['camera', 'record_from', 'record_to'])
    .where('protected', '=', 1)
    .where('camera', 'in', [...new Set(files.map(({ camera }) => camera))])
    .execute()
  const isNeeded = ({ camera, startMs, endMs }: FileFacts) =>
    events.some(
      (event) =>
        event.camera === camera &&
        event.record_from - longestGopMs <= endMs &&
        (event.record_to === null || event.record_to >= startMs),
    )
  return files.filter((file) => !isNeeded(file)).map(({ id }) => id)
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
