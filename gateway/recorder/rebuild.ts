import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { UnreadablePath } from './disk-protocol.ts'
import { fileRow, insertParts } from './index-rows.ts'
import { attempt, isHidden, recordingPaths, scanFile } from './scan-files.ts'

export interface RebuildOptions {
  db: Kysely<Schema>
  /** The recordings directory. */
  directory: string
  /** @param done of `total` files */
  onProgress(done: number, total: number): void
}

export interface RebuildResult {
  files: number
  parts: number
  /** Files and folders that the disk does not give; what the index says of them stays. */
  unreadable: UnreadablePath[]
}

/**
 * Makes the index of recordings (files and parts) anew from the files alone, all of it or nothing. The files stay as they
 * are: one with a torn end counts as open, so that the gateway's next start takes that off. Nobody may write meanwhile.
 * @throws PorchlightError `index_failed`
 */
export async function rebuild({ db, directory, onProgress }: RebuildOptions): Promise<RebuildResult> {
  const result: RebuildResult = { files: 0, parts: 0, unreadable: [] }
  const paths = recordingPaths(directory, result.unreadable)
  await db.transaction().execute(async (transaction) => {
    const rows = await transaction.selectFrom('files').select(['path', 'removing']).execute()
    // what is being deleted does not come back
    const leaving = new Set(rows.filter(({ removing }) => removing === 1).map(({ path }) => path))
    const gone = new Set(rows.map(({ path }) => path).filter((path) => !leaving.has(path)))
    for (const [done, path] of paths.entries()) {
      onProgress(done, paths.length)
      if (leaving.has(path)) continue
      const file = attempt(path, result.unreadable, () => scanFile(directory, path))
      if (file === undefined || file.parts.length === 0) continue
      gone.delete(path)
      await transaction.deleteFrom('files').where('path', '=', path).execute()
      const row = fileRow(file, file.bytes === file.wholeBytes)
      const { id } = await transaction.insertInto('files').values(row).returning('id').executeTakeFirstOrThrow()
      result.files += 1
      result.parts += await insertParts(transaction, id, file)
    }
    for (const path of gone) {
      if (!isHidden(path, result.unreadable)) await transaction.deleteFrom('files').where('path', '=', path).execute()
    }
  })
  onProgress(paths.length, paths.length)
  return result
}
