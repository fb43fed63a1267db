import { Worker } from 'node:worker_threads'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { SqlValue, StoreFailure, StoreOptions, StoreRequest, StoreResponse } from './worker-protocol.ts'

export interface StoreResult {
  rows: Record<string, SqlValue>[]
  changes: bigint
  insertId: bigint
}

interface Waiting {
  resolve(result: StoreResult): void
  reject(error: Error): void
}

const toError = (failure: StoreFailure) =>
  new PorchlightError('index_failed', failure.errcode ? `${failure.message}, ${failure.errcode}` : failure.message)

/** The store's worker, seen from the main thread: queries in, rows out, in order. */
export class StoreWorker implements AsyncDisposable {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #exited: Promise<void>
  #next = 1
  #closing: Promise<void> | undefined

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (response: StoreResponse) => this.#answer(response))
    worker.on('error', (cause) => this.#failAll(new PorchlightError('index_failed', cause.message, { cause })))
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#failAll(new PorchlightError('index_failed', 'the store is closed'))
        resolve()
      })
    })
  }

  /** @throws PorchlightError `index_failed` where the file cannot be opened */
  static async open(options: StoreOptions): Promise<StoreWorker> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: options,
      name: 'porchlight-store',
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    worker.once('message', (response: StoreResponse) => {
      if (response.type === 'opened' && response.error) reject(toError(response.error))
      else resolve()
    })
    worker.once('error', (cause) => reject(new PorchlightError('index_failed', cause.message, { cause })))
    await promise
    return new StoreWorker(worker)
  }

  /** @throws PorchlightError `index_failed` */
  query(sql: string, parameters: readonly SqlValue[]): Promise<StoreResult> {
    return this.#ask({ id: this.#next++, type: 'query', sql, parameters })
  }

  /** Lets the queries that were asked finish, then closes the file. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#ask({ id: this.#next++, type: 'close' }).then(() => this.#exited)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #ask(request: StoreRequest): Promise<StoreResult> {
    if (this.#closing) return Promise.reject(new PorchlightError('index_failed', 'the store is closed'))
    const { promise, resolve, reject } = Promise.withResolvers<StoreResult>()
    this.#waiting.set(request.id, { resolve, reject })
    this.#worker.postMessage(request)
    return promise
  }

  #answer(response: StoreResponse): void {
    if (response.type === 'opened') return
    const waiting = this.#waiting.get(response.id)
    this.#waiting.delete(response.id)
    if (response.type === 'failed') waiting?.reject(toError(response.error))
    else
      waiting?.resolve({
        rows: response.rows,
        changes: BigInt(response.changes),
        insertId: BigInt(response.insertId),
      })
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
