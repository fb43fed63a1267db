import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { maxFootageBytes } from '@porchlight/proto/footage.ts'
import type { Logger } from 'pino'
import { diskErrorCode, hasErrno } from './disk-error.ts'

/** Unfinished deliveries of one camera; a device sends one at a time. */
const maxUnfinished = 16
/** An unfinished delivery that nobody goes on with is dropped after this, ms. */
const abandonedMs = 6 * 60 * 60_000
/** Finished deliveries that are remembered, for a device that did not hear of it. */
const maxFinished = 1_024

/** How much of a delivery is here. */
export interface DeliveryState {
  /** Bytes. */
  offset: number
  /** All of it is recorded. */
  complete: boolean
}

/** One piece of a delivery (RFC 9110 §14.4). */
export interface DeliveryPiece {
  start: number
  /** Exclusive. */
  end: number
  /** Bytes of the whole; undefined where the device does not know yet. */
  total: number | undefined
}

export interface DeliveriesOptions {
  /** Where unfinished deliveries wait. */
  directory: string
  now: () => number
  log: Pick<Logger, 'warn'>
  /** Resolves where the recordings directory can be used. @throws PorchlightError `recordings_*`, `disk_*` */
  ready(): Promise<void>
  /** Records a delivery that is whole. */
  record(camera: string, open: () => AsyncIterable<Uint8Array>): Promise<unknown>
}

/** A piece did not begin where the delivery ended. */
export class OffsetError extends PorchlightError {
  readonly offset: number

  constructor(offset: number) {
    super('footage_offset', `it goes on at ${offset}`)
    this.offset = offset
  }
}

/** Puts footage together that comes in pieces, over connections that break. */
export class Deliveries {
  readonly #options: DeliveriesOptions
  readonly #busy = new Set<string>()
  readonly #finished = new Map<string, number>()

  constructor(options: DeliveriesOptions) {
    this.#options = options
  }

  /** @throws PorchlightError `disk_*` */
  async state(camera: string, id: string): Promise<DeliveryState> {
    const finished = this.#finished.get(`${camera}/${id}`)
    if (finished !== undefined) return { offset: finished, complete: true }
    return { offset: await sizeOf(this.#path(camera, id)), complete: false }
  }

  /**
   * Adds a piece. What came of it before the connection broke is kept. With the last piece it resolves when all of the
   * delivery is recorded and on the disk.
   * @throws OffsetError; PorchlightError `message_too_large`, `too_many_requests`, `footage_invalid`, `recordings_*`, `disk_*`
   */
  async put(camera: string, id: string, piece: DeliveryPiece, body: AsyncIterable<Uint8Array>): Promise<DeliveryState> {
    const name = `${camera}/${id}`
    if (Math.max(piece.end, piece.total ?? 0) > maxFootageBytes) throw new PorchlightError('message_too_large')
    if (this.#busy.has(name)) throw new PorchlightError('too_many_requests', 'another piece of it is on its way')
    this.#busy.add(name)
    try {
      const { offset, complete } = await this.state(camera, id)
      if (complete) return { offset, complete }
      // All of it came and was not recorded: the gateway or its disk failed in between. Its end, sent again, has that done.
      const isWhole = offset > 0 && piece.end === offset && piece.total === offset
      if (piece.start !== offset && !isWhole) throw new OffsetError(offset)
      await this.#options.ready()
      if (offset === 0) await this.#makeRoom(camera)
      const path = this.#path(camera, id)
      const reached = isWhole ? await passedOver(body, offset) : await append(path, piece, body)
      if (reached !== piece.total) return { offset: reached, complete: false }
      await this.#record(camera, name, path, piece)
      return { offset: reached, complete: true }
    } catch (error) {
      throw withCode(error)
    } finally {
      this.#busy.delete(name)
    }
  }

  async #record(camera: string, name: string, path: string, { start, end }: DeliveryPiece): Promise<void> {
    try {
      await this.#options.record(camera, () => createReadStream(path))
    } catch (error) {
      // what can never be recorded goes; anything else is tried again with the last piece
      if (asPorchlightError(error).retryable) await truncate(path, start)
      else await rm(path, { force: true })
      throw error
    }
    this.#finished.set(name, end)
    if (this.#finished.size > maxFinished) {
      const [oldest] = this.#finished.keys()
      if (oldest !== undefined) this.#finished.delete(oldest)
    }
    await rm(path, { force: true })
  }

  /** Drops what nobody goes on with. @throws PorchlightError `too_many_requests` */
  async #makeRoom(camera: string): Promise<void> {
    const folder = join(this.#options.directory, camera)
    await mkdir(folder, { recursive: true })
    let unfinished = 0
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const { mtimeMs } = await stat(path)
      if (this.#options.now() - mtimeMs > abandonedMs) {
        await rm(path, { force: true })
        this.#options.log.warn({ camera, delivery: name }, 'an unfinished delivery of footage was dropped')
      } else unfinished += 1
    }
    if (unfinished >= maxUnfinished) throw new PorchlightError('too_many_requests', 'too many unfinished deliveries')
  }

  #path(camera: string, id: string): string {
    return join(this.#options.directory, camera, `${id}.footage`)
  }
}

/** Takes what is known already. */
async function passedOver(body: AsyncIterable<Uint8Array>, offset: number): Promise<number> {
  for await (const _ of body);
  return offset
}

/** @returns bytes of the delivery that are here now */
async function append(path: string, { start, end }: DeliveryPiece, body: AsyncIterable<Uint8Array>): Promise<number> {
  const file: FileHandle = await open(path, 'a')
  let at = start
  try {
    for await (const chunk of body) {
      if (at + chunk.byteLength > end) throw new PorchlightError('request_invalid', 'more bytes than announced')
      await file.appendFile(chunk)
      at += chunk.byteLength
    }
  } catch (error) {
    if (error instanceof PorchlightError) await file.truncate(start)
    throw error
  } finally {
    await file.close()
  }
  return at
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return 0
    throw withCode(error)
  }
}

function withCode(error: unknown): PorchlightError {
  if (error instanceof PorchlightError) return error
  const errno = error instanceof Error && 'code' in error ? String(error.code) : undefined
  // a body that breaks off is no fault of the disk
  if (errno === 'ECONNRESET' || errno === 'ERR_STREAM_PREMATURE_CLOSE')
    return new PorchlightError('session_ended', errno, { cause: error })
  return new PorchlightError(diskErrorCode(errno), error instanceof Error ? error.message : undefined, { cause: error })
}
