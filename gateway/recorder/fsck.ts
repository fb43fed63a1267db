import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorCode } from '@porchlight/proto/errors.ts'
import type { Kysely, Selectable } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { ScannedFile, UnreadablePath } from './disk-protocol.ts'
import { fileRow, partRow } from './index-rows.ts'
import { attempt, isHidden, recordingPaths, scanFile } from './scan-files.ts'

/** One thing in which index and files do not agree. */
export interface Finding {
  code: ErrorCode
  /** Relative to the recordings directory. */
  path: string
  /** Which part (`offset 1234`), which columns, or what the system said. */
  detail?: string
}

export interface FsckOptions {
  db: Kysely<Schema>
  /** The recordings directory. */
  directory: string
  onFinding(finding: Finding): void
  /** @param done of `total` files */
  onProgress(done: number, total: number): void
}

export interface FsckResult {
  files: number
  parts: number
  /** Of the files read. */
  bytes: number
  findings: number
}

type FileRow = Selectable<Schema['files']>
type PartRow = Selectable<Schema['parts']>

/**
 * Reads every recording from its beginning to its end and compares it with the index: each part's place, bytes (CRC-32)
 * and what is said of it. Changes nothing. Nobody may write to the directory meanwhile.
 * @throws PorchlightError `index_failed`
 */
export async function fsck({ db, directory, onFinding, onProgress }: FsckOptions): Promise<FsckResult> {
  const result: FsckResult = { files: 0, parts: 0, bytes: 0, findings: 0 }
  const find = (code: ErrorCode, path: string, detail?: string) => {
    result.findings += 1
    onFinding({ code, path, ...(detail !== undefined && { detail }) })
  }
  const unreadable: UnreadablePath[] = []
  const there = new Set(recordingPaths(directory, unreadable))
  const known = new Set((await db.selectFrom('files').select('path').execute()).map(({ path }) => path))
  const all = [...new Set([...known, ...there])].toSorted()
  for (const [done, path] of all.entries()) {
    onProgress(done, all.length)
    const row = await db.selectFrom('files').selectAll().where('path', '=', path).executeTakeFirst()
    // what is being deleted has no parts in the index any more
    if (row?.removing === 1) continue
    if (!there.has(path)) {
      if (!isHidden(path, unreadable)) find('recording_file_missing', path)
      continue
    }
    const before = unreadable.length
    const file = attempt(path, unreadable, () => scanFile(directory, path))
    if (unreadable.length > before) continue
    result.files += 1
    if (file === undefined) {
      // made, and cut off before anything was written
      if (row !== undefined || statSync(join(directory, path)).size > 0) find('recording_file_invalid', path)
      continue
    }
    result.bytes += file.bytes
    result.parts += file.parts.length
    const parts = row ? await db.selectFrom('parts').selectAll().where('file_id', '=', row.id).execute() : []
    compare(file, row, parts, (code, detail) => find(code, path, detail))
  }
  onProgress(all.length, all.length)
  for (const { path, message } of unreadable) find('recording_unreadable', path, message)
  return result
}

function compare(
  file: ScannedFile,
  row: FileRow | undefined,
  rows: readonly PartRow[],
  find: (code: ErrorCode, detail?: string) => void,
): void {
  const damaged = new Map(file.damaged.map((part) => [part.offset, part]))
  for (const offset of damaged.keys()) find('recording_part_damaged', place(offset))
  // made, and cut off before its first part: there is nothing to know of it
  if (row === undefined && file.parts.length === 0 && damaged.size === 0) return
  if (file.bytes > file.wholeBytes) find('recording_file_torn', `${file.bytes - file.wholeBytes} bytes`)
  if (row === undefined) {
    find('recording_file_unknown')
    return
  }
  const { closed: _closed, created_at: _created, ...said } = fileRow(file, true)
  const fileDifferences = differences(row, said)
  if (fileDifferences !== '') find('recording_file_differs', fileDifferences)
  const byOffset = new Map(rows.map((part) => [part.offset, part]))
  for (const part of file.parts) {
    const known = byOffset.get(part.offset)
    byOffset.delete(part.offset)
    if (known === undefined) find('recording_part_unknown', place(part.offset))
    else {
      const partDifferences = differences(known, partRow(row.id, file.record.camera, part))
      if (partDifferences !== '') find('recording_part_differs', `${place(part.offset)}: ${partDifferences}`)
    }
  }
  for (const offset of byOffset.keys()) if (!damaged.has(offset)) find('recording_part_missing', place(offset))
}

const place = (offset: number) => `offset ${offset}`

/** Names of the columns in which a row is not what a file says. */
function differences(row: object, said: object): string {
  const values = new Map<string, unknown>(Object.entries(row))
  return Object.entries(said)
    .filter(([column, value]) => values.get(column) !== value)
    .map(([column]) => column)
    .join(', ')
}
