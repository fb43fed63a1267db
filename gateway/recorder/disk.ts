import { Worker } from 'node:worker_threads'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { diskErrorCode } from './disk-error.ts'
import type { DiskAnswers, DiskOptions, DiskRequest, DiskResponse, ScanResult, SpaceAnswer } from './disk-protocol.ts'
import type { DirectoryClaim } from './recordings-directory.ts'

/** Bytes that may wait for the disk before more is refused: half a minute of four 4 Mbit/s cameras. */
export const maxWaitingBytes = 64 * 1024 * 1024

interface Waiting {
  bytes: number
  resolve(answer: DiskAnswers[keyof DiskAnswers]): void
  reject(error: PorchlightError): void
}

/** The thread that writes recordings, seen from the main thread. Every promise resolves when the disk has it. */
export class Disk implements AsyncDisposable {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #exited: Promise<void>
  #waitingBytes = 0
  #next = 1
  #closing: Promise<void> | undefined
  #claimed: Promise<void> | undefined
  readonly #claim: (disk: Disk) => Promise<void>

  /** @param claim claims the directory for the index by `claim`; called before the first write, and again after a refusal */
  constructor(workerOptions: DiskOptions, claim: (disk: Disk) => Promise<void>) {
    this.#claim = claim
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

  /** @returns the directory's identity @throws PorchlightError `recordings_*`, `disk_*` */
  async claim(claim: DirectoryClaim): Promise<string> {
    return (await this.#ask<'claim'>({ id: this.#next++, type: 'claim', claim })).identity
  }

  /** Resolves where the directory is there and ours. @throws PorchlightError `recordings_*`, `disk_*`, `index_failed` */
  async ready(): Promise<void> {
    await this.#isOurs()
    try {
      await this.#ask<'check'>({ id: this.#next++, type: 'check' })
    } catch (error) {
      if (!(error instanceof PorchlightError && error.code.startsWith('recordings_'))) throw error
      await this.#isOurs()
    }
  }

  /** Makes `{stem}-{n}.mp4`, or `.webm`. @throws PorchlightError `recordings_*`, `disk_*`, `index_failed` */
  async create(stem: string, content: Uint8Array): Promise<DiskAnswers['create']> {
    await this.ready()
    return this.#ask<'create'>({ id: this.#next++, type: 'create', stem, content })
  }

  /** @throws PorchlightError `disk_*`; then the file is as long as before */
  append(file: number, content: Uint8Array): Promise<DiskAnswers['append']> {
    return this.#ask<'append'>({ id: this.#next++, type: 'append', file, content })
  }

  /** @throws PorchlightError `disk_*` */
  finish(file: number): Promise<DiskAnswers['finish']> {
    return this.#ask<'finish'>({ id: this.#next++, type: 'finish', file })
  }

  /** Takes away a file that was made here and holds no part. @throws PorchlightError `disk_*` */
  async discard(file: number): Promise<void> {
    await this.#ask<'discard'>({ id: this.#next++, type: 'discard', file })
  }

  /** Cuts a file that an earlier gateway left open to its whole parts. @throws PorchlightError `disk_*` */
  async seal(path: string, bytes: number): Promise<void> {
    await this.#ask<'seal'>({ id: this.#next++, type: 'seal', path, bytes })
  }

  /** Writes a small file (a still) as a whole. @throws PorchlightError `recordings_*`, `disk_*`, `index_failed` */
  async replace(path: string, content: Uint8Array): Promise<void> {
    await this.ready()
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
  scan(known: Set<string>): Promise<ScanResult> {
    return this.#ask<'scan'>({ id: this.#next++, type: 'scan', known })
  }

  /** Writes what waits, then ends. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#ask<'close'>({ id: this.#next++, type: 'close' }).then(() => this.#exited)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #isOurs(): Promise<void> {
    this.#claimed ??= this.#claim(this).catch((error: unknown) => {
      this.#claimed = undefined
      throw error
    })
    return this.#claimed
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
    // the disk was pulled out or changed: it is claimed anew when it is wanted
    if (!response.ok && response.code?.startsWith('recordings_')) this.#claimed = undefined
    if (response.ok) waiting.resolve(response.answer)
    else waiting.reject(new PorchlightError(response.code ?? diskErrorCode(response.errno), response.message))
  }

  #failAll(error: PorchlightError): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    this.#waitingBytes = 0
  }
}
