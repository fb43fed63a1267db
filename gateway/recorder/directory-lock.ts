import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'

const lockName = '.lock'
/** Result codes of SQLite (https://sqlite.org/rescode.html), low byte: BUSY, READONLY, FULL, CANTOPEN. */
const codes: Readonly<Record<number, ErrorCode>> = {
  5: 'recordings_in_use',
  8: 'disk_readonly',
  13: 'disk_full',
  14: 'disk_readonly',
}

export interface DirectoryLock {
  /** Idempotent. */
  close(): void
}

/**
 * Holds a directory for this program alone. The lock is one of the operating system on an (empty) SQLite file: whatever
 * way the program ends, it ends with it.
 * @throws PorchlightError `recordings_in_use`, `disk_*`
 */
export function lockDirectory(directory: string): DirectoryLock {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(join(directory, lockName), { timeout: 0 })
    database.exec('pragma journal_mode = memory; begin exclusive')
  } catch (cause) {
    database?.close()
    throw lockError(directory, cause)
  }
  return {
    close: () => {
      if (database.isOpen) database.close()
    },
  }
}

function lockError(directory: string, cause: unknown): PorchlightError {
  const errcode = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new PorchlightError(codes[errcode] ?? 'disk_failed', `${join(directory, lockName)}: ${detail}`, { cause })
}
