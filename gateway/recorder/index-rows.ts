import type { Insertable, Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { ScannedFile, ScannedPart } from './disk-protocol.ts'

/** Rows in one statement: SQLite takes 32766 values. */
export const maxRows = 500

/** The row of a file as its own records describe it. @param closed nothing is added, and it ends with a whole part */
export function fileRow(file: ScannedFile, closed: boolean): Insertable<Schema['files']> {
  return {
    camera: file.record.camera,
    path: file.path,
    created_at: file.createdAt,
    base_ms: file.record.baseMs,
    init_bytes: file.initBytes,
    config: file.config,
    closed: closed ? 1 : 0,
  }
}

/** The row of a part as its record describes it. */
export function partRow(fileId: number, camera: string, part: ScannedPart): Insertable<Schema['parts']> {
  return {
    file_id: fileId,
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
  }
}

/**
 * Adds the parts of a file that the index does not have.
 * @returns how many
 * @throws PorchlightError `index_failed`
 */
export async function insertParts(db: Kysely<Schema>, fileId: number, file: ScannedFile): Promise<number> {
  let added = 0
  for (let at = 0; at < file.parts.length; at += maxRows) {
    const rows = file.parts.slice(at, at + maxRows).map((part) => partRow(fileId, file.record.camera, part))
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('parts')
      .values(rows)
      .onConflict((conflict) => conflict.columns(['file_id', 'offset']).doNothing())
      .executeTakeFirstOrThrow()
    added += Number(numInsertedOrUpdatedRows ?? 0n)
  }
  return added
}
