import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../store/schema.ts'
import type { Disk } from './disk.ts'
import type { ScannedFile } from './disk-protocol.ts'

export interface ReconcileResult {
  /** Files that the index did not know. */
  files: number
  /** Parts that it did not know. */
  parts: number
}

/**
 * Brings the index up to what the files say: after the gateway was cut off, or where the index was lost. Nothing here
 * deletes a recording: only of a file that was left open the torn end is taken off.
 * @throws PorchlightError `index_failed`, `disk_*`
 */
export async function reconcile(db: Kysely<Schema>, disk: Disk, log: Pick<Logger, 'info'>): Promise<ReconcileResult> {
  const closed = await db.selectFrom('files').select('path').where('closed', '=', 1).execute()
  const scanned = await disk.scan(new Set(closed.map(({ path }) => path)))
  const result: ReconcileResult = { files: 0, parts: 0 }
  const leftOpen = await db.selectFrom('files').select('path').where('closed', '=', 0).execute()
  const torn = new Set(leftOpen.map(({ path }) => path))
  for (const file of scanned) {
    await takeIn(db, file, result)
    if (torn.has(file.path)) await disk.seal(file.path, file.wholeBytes)
  }
  // files that are gone, or hold nothing: nobody writes to them any more
  await db.updateTable('files').set({ closed: 1 }).where('closed', '=', 0).execute()
  if (result.parts > 0) log.info(result, 'recordings that the index did not know were taken in')
  return result
}

async function takeIn(db: Kysely<Schema>, file: ScannedFile, result: ReconcileResult): Promise<void> {
  const { camera, baseMs } = file.record
  await db.transaction().execute(async (transaction) => {
    const known = await transaction.selectFrom('files').select('id').where('path', '=', file.path).executeTakeFirst()
    const { id } =
      known ??
      (await transaction
        .insertInto('files')
        .values({
          camera,
          path: file.path,
          created_at: file.createdAt,
          base_ms: baseMs,
          init_bytes: file.initBytes,
          config: file.config,
          closed: 1,
        })
        .returning('id')
        .executeTakeFirstOrThrow())
    if (!known) result.files += 1
    for (const part of file.parts) {
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('parts')
        .values({
          file_id: id,
          camera,
          run: part.run,
          first_frame: part.firstFrame,
          last_frame: part.lastFrame,
          keyframe: part.keyframe ? 1 : 0,
          start_ms: part.startMs,
          end_ms: part.endMs,
          audio_json: JSON.stringify(part.audio),
          offset: part.offset,
          bytes: part.bytes,
          generation: part.generation,
        })
        .onConflict((conflict) => conflict.columns(['file_id', 'offset']).doNothing())
        .executeTakeFirstOrThrow()
      result.parts += Number(numInsertedOrUpdatedRows ?? 0n)
    }
  })
}
