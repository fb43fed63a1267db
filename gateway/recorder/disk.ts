import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { DiskAnswers, DiskOptions, DiskWork, ScanResult, SpaceAnswer } from './disk-protocol.ts'
import { DiskThread } from './disk-thread.ts'
import type { DirectoryClaim } from './recordings-directory.ts'

/** Bytes that may wait for the disk before more is refused: half a minute of four 4 Mbit/s cameras. */
export const maxWaitingBytes = 64 * 1024 * 1024
/** A slow fsync holds up the files of its own thread only: on a bad SD card (200 ms) none of so many waits for a second. */
const filesPerThread = 4
/** Threads at most, 30 MB each; then each has more files. */
const maxThreads = 4

/** A file that is open for writing. */
export interface DiskFile {
  readonly thread: DiskThread
  /** Its number there. */
  readonly id: number
}

/**
 * The recordings directory as the main thread sees it: other threads write it. Every promise resolves when the disk has it.
 * Where many files are open, they are spread over some threads; all else is the first one's.
 */
export class Disk implements AsyncDisposable {
  readonly #options: DiskOptions
  readonly #claim: (disk: Disk) => Promise<void>
  readonly #first: DiskThread
  #threads: DiskThread[]
  #waitingBytes = 0
  #identity: string | undefined
  #claimed: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /** @param claim claims the directory for the index by `claim`; called before the first write, and again after a refusal */
  constructor(options: DiskOptions, claim: (disk: Disk) => Promise<void>) {
    this.#options = options
    this.#claim = claim
    this.#first = new DiskThread(options)
    this.#threads = [this.#first]
  }

  /** @returns the directory's identity @throws PorchlightError `recordings_*`, `disk_*` */
  async claim(claim: DirectoryClaim): Promise<string> {
    const { identity } = await this.#ask(this.#first, { type: 'claim', claim })
    this.#identity = identity
    return identity
  }

  /** Resolves where the directory is there and ours. @throws PorchlightError `recordings_*`, `disk_*`, `index_failed` */
  async ready(): Promise<void> {
    await this.#isOurs()
    try {
      await this.#ask(this.#first, { type: 'check', identity: this.#identity })
    } catch (error) {
      if (!(error instanceof PorchlightError && error.code.startsWith('recordings_'))) throw error
      await this.#isOurs()
    }
  }

  /** Makes `{stem}-{n}.mp4`, or `.webm`, of the pieces, which stay the caller's. @throws PorchlightError `recordings_*`, `disk_*`, `index_failed` */
  async create(stem: string, content: Uint8Array[]): Promise<{ file: DiskFile; path: string; bytes: number }> {
    await this.ready()
    const thread = this.#threadForOneMore()
    thread.openFiles += 1
    try {
      const work = { type: 'create', stem, content, identity: this.#identity } as const
      const { file, path, bytes } = await this.#ask(thread, work)
      return { file: { thread, id: file }, path, bytes }
    } catch (error) {
      thread.openFiles -= 1
      throw error
    }
  }

  /** Adds the pieces, which nobody may use afterwards, at the file's end. @throws PorchlightError `disk_*`; then the file is as long as before */
  append({ thread, id }: DiskFile, content: Uint8Array[]): Promise<DiskAnswers['append']> {
    return this.#ask(thread, { type: 'append', file: id, content }, content)
  }

  /** @throws PorchlightError `disk_*` */
  finish({ thread, id }: DiskFile): Promise<DiskAnswers['finish']> {
    thread.openFiles -= 1
    return this.#ask(thread, { type: 'finish', file: id })
  }

  /** Takes away a file that was made here and holds no part. @throws PorchlightError `disk_*` */
  async discard({ thread, id }: DiskFile): Promise<void> {
    thread.openFiles -= 1
    await this.#ask(thread, { type: 'discard', file: id })
  }

  /** Cuts a file that an earlier gateway left open to its whole parts. @throws PorchlightError `disk_*` */
  async seal(path: string, bytes: number): Promise<void> {
    await this.#ask(this.#first, { type: 'seal', path, bytes })
  }

  /** Writes a small file (a still) as a whole. @throws PorchlightError `recordings_*`, `disk_*`, `index_failed` */
  async replace(path: string, content: Uint8Array): Promise<void> {
    await this.ready()
    await this.#ask(this.#first, { type: 'replace', path, content, identity: this.#identity }, [content])
  }

  /** Deletes a file; one that is not there is fine. @throws PorchlightError `disk_*` */
  async remove(path: string): Promise<void> {
    await this.#ask(this.#first, { type: 'remove', path })
  }

  /** @param probe paths of files to look for @throws PorchlightError `disk_*` */
  space(probe: readonly string[]): Promise<SpaceAnswer> {
    return this.#ask(this.#first, { type: 'space', probe })
  }

  /** @throws PorchlightError `disk_*` */
  scan(known: Set<string>): Promise<ScanResult> {
    return this.#ask(this.#first, { type: 'scan', known })
  }

  /** Writes what waits, then ends. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    // the first one holds the directory until the others have ended
    await Promise.all(this.#threads.slice(1).map((thread) => thread.close()))
    await this.#first.close()
  }

  #isOurs(): Promise<void> {
    this.#claimed ??= this.#claim(this).catch((error: unknown) => {
      this.#claimed = undefined
      throw error
    })
    return this.#claimed
  }

  #threadForOneMore(): DiskThread {
    // one that has crashed takes nothing any more
    this.#threads = this.#threads.filter((thread) => thread === this.#first || !thread.ended)
    const idlest = this.#threads.reduce((best, thread) => (thread.openFiles < best.openFiles ? thread : best))
    if (idlest.openFiles < filesPerThread || this.#threads.length >= maxThreads) return idlest
    const thread = new DiskThread(this.#options)
    this.#threads.push(thread)
    return thread
  }

  /** @param content pieces of the work that go over to the thread */
  async #ask<Work extends DiskWork>(
    thread: DiskThread,
    work: Work,
    content: readonly Uint8Array[] = [],
  ): Promise<DiskAnswers[Work['type']]> {
    if (this.#closing) throw new PorchlightError('disk_failed', 'the writer is closed')
    const bytes = content.reduce((sum, piece) => sum + piece.byteLength, 0)
    if (this.#waitingBytes + bytes > maxWaitingBytes) throw new PorchlightError('disk_failed', 'the disk is too slow')
    this.#waitingBytes += bytes
    try {
      return await thread.ask(
        work,
        content.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer),
      )
    } catch (error) {
      // the disk was pulled out or changed: it is claimed anew when it is wanted
      if (error instanceof PorchlightError && error.code.startsWith('recordings_')) this.#claimed = undefined
      throw error
    } finally {
      this.#waitingBytes -= bytes
    }
  }
}
