import { Worker } from 'node:worker_threads'
import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { DiskAnswers, DiskOptions, DiskRequest, DiskResponse, ScannedFile, SpaceAnswer } from './disk-protocol.ts'

/** Bytes that may wait for the disk before more is refused: half a minute of four 4 Mbit/s cameras. */
export const maxWaitingBytes = 64 * 1024 * 1024

interface Waiting {
  bytes: number
  resolve(answer: DiskAnswers[keyof DiskAnswers]): void
  reject(error: PorchlightError): void
}

/** Which sentence of ours an error of the operating system is. */
export function diskErrorCode(errno: string | undefined): ErrorCode {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'disk_full'
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return 'disk_readonly'
    default:
      return 'disk_failed'
  }
}

/** The thread that writes recordings, seen from the main thread. Every promise resolves when the disk has it. */
export class Disk implements AsyncDisposable {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #exited: Promise<void>
  #waitingBytes = 0
  #next = 1
  #closing: Promise<void> | undefined

  constructor(directory: string) {
    const workerOptions: DiskOptions = { directory }
    this.#worker = new Worker(new URL('./disk-worker.ts', import.meta.url), {
      workerData: workerOptions,
      name: 'porchlight-disk',
    })
    this.#worker.on('message', (response: DiskResponse) => this.#answer(response))
    this.#worker.on('error', (cause) => this.#failAll(new PorchlightError('disk_failed', cause.message, { cause })))
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#failAll(new PorchlightError('disk_failed', 'the writer has ended'))
        resolve()
      })
    })
  }

  /** Makes `{stem}-{n}.mp4`. @throws PorchlightError `disk_*` */
  create(stem: string, content: Uint8Array): Promise<DiskAnswers['create']> {
    return this.#ask<'create'>({ id: this.#next++, type: 'create', stem, content })
  }

  /** @throws PorchlightError `disk_*`; then the file is as long as before */
  append(file: number, content: Uint8Array): Promise<DiskAnswers['append']> {
    return this.#ask<'append'>({ id: this.#next++, type: 'append', file, content })
  }

  /** @throws PorchlightError `disk_*` */
  async finish(file: number): Promise<void> {
    await this.#ask<'finish'>({ id: this.#next++, type: 'finish', file })
  }

  /** Cuts a file that an earlier gateway left open to its whole parts. @throws PorchlightError `disk_*` */
  async seal(path: string, bytes: number): Promise<void> {
    await this.#ask<'seal'>({ id: this.#next++, type: 'seal', path, bytes })
  }

  /** Writes a small file (a still) as a whole. @throws PorchlightError `disk_*` */
  async replace(path: string, content: Uint8Array): Promise<void> {
    await this.#ask<'replace'>({ id: this.#next++, type: 'replace', path, content })
  }

  /** Deletes a file; one that is not there is fine. @throws PorchlightError `disk_*` */
  async remove(path: string): Promise<void> {
    await this.#ask<'remove'>({ id: this.#next++, type: 'remove', path })
  }

  /** @param probe paths of files to look for @throws PorchlightError `disk_*` */
  space(probe: readonly string[]): Promise<SpaceAnswer> {
    return this.#ask<'space'>({ id: this.#next++, type: 'space', probe })
  }

  /** @throws PorchlightError `disk_*` */
  async scan(known: Set<string>): Promise<ScannedFile[]> {
    return (await this.#ask<'scan'>({ id: this.#next++, type: 'scan', known })).files
  }

  /** Writes what waits, then ends. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#ask<'close'>({ id: this.#next++, type: 'close' }).then(() => this.#exited)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #ask<T extends DiskRequest['type']>(request: DiskRequest & { type: T }): Promise<DiskAnswers[T]> {
    if (this.#closing) return Promise.reject(new PorchlightError('disk_failed', 'the writer is closed'))
    const content = 'content' in request ? request.content : undefined
    const bytes = content?.byteLength ?? 0
    if (this.#waitingBytes + bytes > maxWaitingBytes)
      return Promise.reject(new PorchlightError('disk_failed', 'the disk is too slow'))
    this.#waitingBytes += bytes
    const { promise, resolve, reject } = Promise.withResolvers<DiskAnswers[T]>()
    this.#waiting.set(request.id, {
      bytes,
      resolve: (answer) => resolve(answer as DiskAnswers[T]),
      reject,
    })
    this.#worker.postMessage(request, content && content.buffer instanceof ArrayBuffer ? [content.buffer] : [])
    return promise
  }

  #answer(response: DiskResponse): void {
    const waiting = this.#waiting.get(response.id)
    if (waiting === undefined) return
    this.#waiting.delete(response.id)
    this.#waitingBytes -= waiting.bytes
    if (response.ok) waiting.resolve(response.answer)
    else waiting.reject(new PorchlightError(diskErrorCode(response.errno), response.message))
  }

  #failAll(error: PorchlightError): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    this.#waitingBytes = 0
  }
}
