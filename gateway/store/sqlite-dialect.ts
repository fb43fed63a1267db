import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { StoreWorker } from './worker-client.ts'
import type { SqlValue } from './worker-protocol.ts'

/** Kysely's SQLite dialect with the store's worker behind it. */
export function workerDialect(worker: StoreWorker): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new WorkerDriver(worker),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/** One connection; Kysely itself lets one query or transaction at a time have it (`supportsMultipleConnections`). */
class WorkerDriver implements Driver {
  readonly #worker: StoreWorker
  readonly #connection: WorkerConnection

  constructor(worker: StoreWorker) {
    this.#worker = worker
    this.#connection = new WorkerConnection(worker)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    // a transaction that turns from reading to writing cannot wait for another program; one that begins so can
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    await this.#worker.close()
  }
}

class WorkerConnection implements DatabaseConnection {
  readonly #worker: StoreWorker

  constructor(worker: StoreWorker) {
    this.#worker = worker
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes, insertId } = await this.#worker.query(query.sql, query.parameters as readonly SqlValue[])
    return { rows: rows as R[], numAffectedRows: changes, insertId }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }
}
