import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { SqlValue, StoreFailure, StoreOptions, StoreRequest, StoreResponse } from './worker-protocol.ts'

/** The thread that owns the SQLite file: neither a query nor an fsync ever runs where packets run. */

/** Statements kept compiled; the gateway's own number is far below. */
const maxStatements = 256

/** Of a new index; one that is there keeps its own. A part's row changes five pages, so small ones are less to write. */
const pageBytes = 2_048
/** A checkpoint every 16 MB and not every 4 writes pages once that have changed four times. */
const checkpointBytes = 16 * 1024 * 1024

if (parentPort === null) throw new Error('this file is a worker')
const port = parentPort
const { path, busyTimeoutMs } = workerData as StoreOptions

function reply(response: StoreResponse): void {
  port.postMessage(response)
}

function failure(thrown: unknown): StoreFailure {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const errcode = thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : undefined
  return typeof errcode === 'number' ? { message, errcode } : { message }
}

function open(): DatabaseSync | undefined {
  try {
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
    // WAL lets the command line read while the gateway writes; FULL makes each commit survive a power cut
    database.exec(`pragma page_size = ${pageBytes}; pragma journal_mode = wal; pragma synchronous = full`)
    const { page_size } = database.prepare('pragma page_size').get() as { page_size: number }
    database.exec(`pragma wal_autocheckpoint = ${Math.ceil(checkpointBytes / page_size)}`)
    reply({ type: 'opened' })
    return database
  } catch (thrown) {
    reply({ type: 'opened', error: failure(thrown) })
    return undefined
  }
}

const database = open()
const statements = new Map<string, StatementSync>()

function prepared(owner: DatabaseSync, sql: string): StatementSync {
  const known = statements.get(sql)
  if (known) return known
  const statement = owner.prepare(sql)
  if (statements.size >= maxStatements) {
    const [oldest] = statements.keys()
    if (oldest !== undefined) statements.delete(oldest)
  }
  statements.set(sql, statement)
  return statement
}

function query(owner: DatabaseSync, id: number, sql: string, parameters: readonly SqlValue[]): void {
  try {
    const statement = prepared(owner, sql)
    if (statement.columns().length > 0) {
      const rows = statement.all(...parameters)
      reply({ type: 'result', id, rows, changes: 0, insertId: 0 })
    } else {
      const { changes, lastInsertRowid } = statement.run(...parameters)
      reply({ type: 'result', id, rows: [], changes, insertId: lastInsertRowid })
    }
  } catch (thrown) {
    reply({ type: 'failed', id, error: failure(thrown) })
  }
}

if (database) {
  port.on('message', (request: StoreRequest) => {
    if (request.type === 'query') return query(database, request.id, request.sql, request.parameters)
    statements.clear()
    database.close()
    reply({ type: 'result', id: request.id, rows: [], changes: 0, insertId: 0 })
    port.close()
  })
} else {
  port.close()
}
