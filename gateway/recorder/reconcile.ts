import { asPorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../store/schema.ts'
import type { Disk } from './disk.ts'
import type { ScannedFile } from './disk-protocol.ts'
import { fileRow, insertParts } from './index-rows.ts'
import { isHidden } from './scan-files.ts'

export interface ReconcileResult {
  /** Files that the index did not know. */
  files: number
  /** Parts that it did not know. */
  parts: number
}

/**
 * Brings the index up to what the files say: after the gateway was cut off, or where the index was lost. Nothing here
 * deletes a recording: only of a file that was left open the torn end is taken off. A file that the disk does not give is
 * left as it is, for the next start.
 * @throws PorchlightError `index_failed`, `disk_*`
 */
export async function reconcile(
  db: Kysely<Schema>,
  disk: Disk,
  log: Pick<Logger, 'info' | 'error'>,
): Promise<ReconcileResult> {
  const closed = await db.selectFrom('files').select('path').where('closed', '=', 1).execute()
  const { files, unreadable } = await disk.scan(new Set(closed.map(({ path }) => path)))
  for (const { path, message } of unreadable)
    log.error({ code: 'recording_unreadable', path, message }, 'left as it is')
  const result: ReconcileResult = { files: 0, parts: 0 }
  const leftOpen = await db.selectFrom('files').select('path').where('closed', '=', 0).execute()
  const torn = new Set(leftOpen.map(({ path }) => path))
  for (const file of files) {
    await takeIn(db, file, result)
    if (torn.has(file.path) && !(await seal(disk, file, log))) torn.delete(file.path)
  }
  // those that are gone, or hold nothing, too: nobody writes to them any more
  const settled = [...torn].filter((path) => !isHidden(path, unreadable))
  for (const path of settled) await db.updateTable('files').set({ closed: 1 }).where('path', '=', path).execute()
  if (result.parts > 0) log.info(result, 'recordings that the index did not know were taken in')
  return result
}

async function seal(disk: Disk, file: ScannedFile, log: Pick<Logger, 'error'>): Promise<boolean> {
  try {
    await disk.seal(file.path, file.wholeBytes)
    return true
  } catch (error) {
    log.error({ code: asPorchlightError(error).code, err: error, path: file.path }, 'the torn end of a file stays')
    return false
  }
}

async function takeIn(db: Kysely<Schema>, file: ScannedFile, result: ReconcileResult): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const known = await transaction.selectFrom('files').select('id').where('path', '=', file.path).executeTakeFirst()
    if (!known && file.parts.length === 0) return
    const { id } =
      known ??
      (await transaction.insertInto('files').values(fileRow(file, true)).returning('id').executeTakeFirstOrThrow())
    if (!known) result.files += 1
    result.parts += await insertParts(transaction, id, file)
  })
}
