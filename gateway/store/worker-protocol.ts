/** What a column of SQLite takes and gives. */
export type SqlValue = null | number | bigint | string | Uint8Array

export type StoreRequest =
  | { id: number; type: 'query'; sql: string; parameters: readonly SqlValue[] }
  | { id: number; type: 'close' }

export type StoreResponse =
  /** The file could be opened, or not. */
  | { type: 'opened'; error?: StoreFailure }
  | {
      type: 'result'
      id: number
      rows: Record<string, SqlValue>[]
      changes: number | bigint
      insertId: number | bigint
    }
  | { type: 'failed'; id: number; error: StoreFailure }

export interface StoreFailure {
  message: string
  /** SQLite's extended result code, where it was SQLite that failed. */
  errcode?: number
}

/** `workerData` of the store's worker. */
export interface StoreOptions {
  path: string
  /** How long a query waits for another program that writes, in ms. */
  busyTimeoutMs: number
}
