import { Worker } from 'node:worker_threads'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { diskErrorCode } from './disk-error.ts'
import type { DiskAnswers, DiskOptions, DiskResponse, DiskWork } from './disk-protocol.ts'

interface Waiting {
  resolve(answer: DiskAnswers[keyof DiskAnswers]): void
  reject(error: PorchlightError): void
}

/** One thread that writes recordings, seen from the main thread. What it is asked it does in order. */
export class DiskThread {
  /** Files that are open in it, or about to be. */
  openFiles = 0
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #exited: Promise<void>
  #next = 1
  #ended: PorchlightError | undefined
  #closing: Promise<void> | undefined

  constructor(options: DiskOptions) {
    this.#worker = new Worker(new URL('./disk-worker.ts', import.meta.url), {
      workerData: options,
      name: 'porchlight-disk',
    })
    this.#worker.on('message', (response: DiskResponse) => this.#answer(response))
    this.#worker.on('error', (cause) => this.#end(new PorchlightError('disk_failed', cause.message, { cause })))
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#end(new PorchlightError('disk_failed', 'the writer has ended'))
        resolve()
      })
    })
  }

  /** @param transfer buffers of the work that go over to the thread @throws PorchlightError `recordings_*`, `disk_*` */
  ask<Work extends DiskWork>(work: Work, transfer: readonly ArrayBuffer[] = []): Promise<DiskAnswers[Work['type']]> {
    if (this.#ended) return Promise.reject(this.#ended)
    const { promise, resolve, reject } = Promise.withResolvers<DiskAnswers[Work['type']]>()
    const id = this.#next++
    this.#waiting.set(id, { resolve: (answer) => resolve(answer as DiskAnswers[Work['type']]), reject })
    this.#worker.postMessage({ id, work }, transfer)
    return promise
  }

  /** It has crashed, or was closed. */
  get ended(): boolean {
    return this.#ended !== undefined
  }

  /** Does what waits, then ends; one that has crashed is closed. Idempotent. */
  close(): Promise<void> {
    // where it crashes meanwhile, that was told to whom it was asked by
    const asked = this.ask({ type: 'close' }).catch(() => undefined)
    this.#closing ??= asked.then(() => this.#exited)
    return this.#closing
  }

  #answer(response: DiskResponse): void {
    const waiting = this.#waiting.get(response.id)
    if (waiting === undefined) return
    this.#waiting.delete(response.id)
    if (response.ok) waiting.resolve(response.answer)
    else waiting.reject(new PorchlightError(response.code ?? diskErrorCode(response.errno), response.message))
  }

  #end(error: PorchlightError): void {
    this.#ended ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#ended)
    this.#waiting.clear()
  }
}
