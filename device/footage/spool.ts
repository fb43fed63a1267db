import type { Dirent } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import { maxFootageBytes } from '@porchlight/proto/footage.ts'
import { name as cameraName } from '@porchlight/proto/ids.ts'
import type { Logger } from 'pino'
import { ageOf } from '../identity/age.ts'
import { FootageBody } from './footage-body.ts'
import { joinSpans } from './memory-queue.ts'
import { type FrameRange, rangesOf } from './ranges.ts'
import { readSpoolName, unfinishedSuffix, writeSpoolName } from './spool-name.ts'
import { SpooledFile, writeSpoolFile } from './spooled-file.ts'
import type { WaitingSpan } from './waiting.ts'

export interface SpoolOptions {
  directory: string
  /** Bytes at most, of all cameras; the oldest file goes first. */
  maxBytes: number
  /** Older footage goes, ms. */
  maxAgeMs: number
  /** Device clock, ms since the Unix epoch. */
  now: () => number
  /** Never steps, ms. */
  monotonic: () => number
  log: Logger
}

/**
 * Footage on the device's disk that the gateway has not taken yet: a file for each delivery, which is exactly its body.
 * Written once, read by pieces, and deleted; bounded in bytes and age. It survives the agent's restart.
 */
export class Spool {
  readonly #options: SpoolOptions
  #files: SpooledFile[] = []
  #error: ErrorCode | undefined
  /** Bytes on the disk. */
  bytes = 0

  private constructor(options: SpoolOptions) {
    this.#options = options
  }

  /** Finds what an earlier run left. A disk that gives nothing is logged, and tried again with each write. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options)
    try {
      await mkdir(options.directory, { recursive: true, mode: 0o700 })
    } catch (cause) {
      spool.#failed(cause)
    }
    await spool.#each(options.directory, async (entry) => {
      if (entry.isDirectory() && cameraName.safeParse(entry.name).success) await spool.#find(entry.name)
      else options.log.warn({ code: 'spool_unreadable', entry: entry.name }, 'not a part of the spool')
    })
    spool.#files.sort((one, other) => one.bornMs - other.bornMs)
    if (spool.files.length > 0) {
      options.log.info({ files: spool.files.length, bytes: spool.bytes }, 'footage of an earlier run waits')
    }
    return spool
  }

  /** The oldest first. */
  get files(): readonly SpooledFile[] {
    return this.#files
  }

  /** Why nothing can be written now. */
  get error(): ErrorCode | undefined {
    return this.#error
  }

  /** Writes deliveries of one camera as one file. @throws PorchlightError `spool_unwritable` */
  async add(spans: readonly WaitingSpan[]): Promise<SpooledFile> {
    const { directory, now, monotonic } = this.#options
    const { id, camera, run, tried } = spans[0]!
    const span = spans.length === 1 ? spans[0]!.span : joinSpans(spans.map((one) => one.span))
    const bornMs = Math.min(...spans.map((one) => one.bornMs))
    const ranges = rangesOf(span.units)
    const name = {
      ...{ sinceMs: now() - (monotonic() - bornMs), run, id },
      from: Math.min(...ranges.map(([from]) => from)),
      to: Math.max(...ranges.map(([, to]) => to)),
    }
    const folder = join(directory, camera)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const bytes = await writeSpoolFile(join(folder, writeSpoolName(name)), new FootageBody(run, span))
      const file = new SpooledFile({ camera, folder, name, bytes, bornMs, tried })
      this.#put(file)
      this.#error = undefined
      return file
    } catch (cause) {
      throw this.#failed(cause)
    }
  }

  /** The gateway has it, or it is given up. One that the disk does not let go of is found again at the next start. */
  async remove(file: SpooledFile): Promise<void> {
    this.#takeOut(file)
    try {
      await rm(file.path, { force: true })
    } catch (cause) {
      this.#failed(cause)
    }
  }

  /** Takes the oldest out that is too old, or more than there is room for; who asks looks at it and removes it. */
  takeOverflow(underWay: object | undefined): { file: SpooledFile; reason: 'too_old' | 'queue_full' } | undefined {
    const { maxAgeMs, maxBytes, monotonic } = this.#options
    const file = this.#files.find((one) => one !== underWay)
    if (file === undefined) return undefined
    const old = monotonic() - file.bornMs > maxAgeMs
    if (!old && this.bytes <= maxBytes) return undefined
    this.#takeOut(file)
    return { file, reason: old ? 'too_old' : 'queue_full' }
  }

  /**
   * Frames of an earlier run that are here.
   * @param range only files that may hold some of these are looked into
   */
  async framesOf(camera: string, run: string, [from, to]: FrameRange): Promise<FrameRange[]> {
    const found: FrameRange[] = []
    for (const file of this.#files) {
      if (file.camera !== camera || file.run !== run || file.name.to < from || file.name.from > to) continue
      try {
        await using opened = await file.open()
        found.push(...opened.ranges)
      } catch (error) {
        // Who delivers it will meet the same, and gives it up.
        this.#options.log.debug({ err: error, path: file.path }, 'a file of the spool cannot be looked into')
      }
    }
    return found
  }

  async #find(camera: string): Promise<void> {
    const folder = join(this.#options.directory, camera)
    await this.#each(folder, (entry) => this.#found(camera, folder, entry))
  }

  /** What the disk does not give is logged, and hides nothing else. */
  async #each(folder: string, look: (entry: Dirent) => Promise<void>): Promise<void> {
    let entries: Dirent[] = []
    try {
      entries = await readdir(folder, { withFileTypes: true })
    } catch (cause) {
      this.#failed(cause)
    }
    for (const entry of entries) await look(entry).catch((cause: unknown) => void this.#failed(cause))
  }

  async #found(camera: string, folder: string, entry: Dirent): Promise<void> {
    const { now, monotonic, log } = this.#options
    const unfinished = entry.name.endsWith(unfinishedSuffix)
    const finished = unfinished ? entry.name.slice(0, -unfinishedSuffix.length) : entry.name
    const name = readSpoolName(finished)
    const path = join(folder, entry.name)
    if (name === undefined || !entry.isFile()) {
      log.warn({ code: 'spool_unreadable', path }, 'not a file of the spool: it stays where it is')
      return
    }
    const { size } = await stat(path)
    if (size === 0 || size > maxFootageBytes) {
      log.warn({ code: 'spool_unreadable', path, size }, 'not footage: thrown away')
      await rm(path, { force: true })
      return
    }
    // The power went while it was written: what of it is whole is as good as any.
    if (unfinished) await rename(path, join(folder, finished))
    const bornMs = monotonic() - ageOf(name.sinceMs, now())
    this.#put(new SpooledFile({ camera, folder, name, bytes: size, bornMs, tried: true }))
  }

  #takeOut(file: SpooledFile): void {
    const index = this.#files.indexOf(file)
    if (index < 0) return
    this.#files.splice(index, 1)
    this.bytes -= file.bytes
  }

  #put(file: SpooledFile): void {
    this.#files.push(file)
    this.bytes += file.bytes
  }

  #failed(cause: unknown): PorchlightError {
    const detail = cause instanceof Error ? cause.message : undefined
    const error = cause instanceof PorchlightError ? cause : new PorchlightError('spool_unwritable', detail, { cause })
    if (this.#error !== error.code) this.#options.log.error({ code: error.code, detail }, error.message)
    this.#error = error.code
    return error
  }
}
