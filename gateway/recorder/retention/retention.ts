import { asPorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../../store/schema.ts'
import type { Disk } from '../disk.ts'
import type { Decide } from './decide.ts'
import type { RetentionLimits } from './limits.ts'
import { type PruneResult, prune } from './prune.ts'
import { type Room, roomCode, worse } from './room.ts'

/** How often the disk's free space is looked at, ms. */
export const lookMs = 60_000
/** Ages are looked at so often, ms. */
const roundMs = 3_600_000
/** A full disk calls for no new round so soon after the last one, ms. */
const pauseMs = 10_000

export interface RetentionOptions {
  db: Kysely<Schema>
  disk: Pick<Disk, 'remove' | 'space'>
  limits: RetentionLimits
  decide: Decide
  /** ms since the Unix epoch */
  now: () => number
  log: Logger
  /** Calls back once after so many ms. @returns takes it back */
  schedule(callback: () => void, ms: number): () => void
  /** After each round: `room` may have changed, of these cameras and of those without recordings. */
  onRoom(cameras: readonly string[]): void
}

/**
 * Deletes what is too old or too much: now and then, when what was written comes close to a limit, and when the disk is
 * full. One round at a time.
 */
export class Retention implements AsyncDisposable {
  readonly #options: RetentionOptions
  readonly #abort = new AbortController()
  #round: Promise<void> | undefined
  #again = false
  #lastAt = Number.NEGATIVE_INFINITY
  /** The next look is to be a round. */
  #due = false
  #headroom = { all: Number.POSITIVE_INFINITY, cameras: new Map<string, number>() }
  #room: PruneResult['room'] = { all: 'enough', cameras: new Map() }
  #unschedule: () => void = () => undefined

  constructor(options: RetentionOptions) {
    this.#options = { ...options, log: options.log.child({ part: 'retention' }) }
  }

  start(): void {
    if (this.#abort.signal.aborted) return
    this.#unschedule = this.#options.schedule(() => {
      void this.#look().finally(() => this.start())
    }, lookMs)
  }

  /** Whether protected footage leaves a camera room to record. */
  room(camera: string): Room {
    return worse(this.#room.all, this.#room.cameras.get(camera) ?? 'enough')
  }

  /** So many bytes were recorded of a camera. */
  wrote(camera: string, bytes: number): void {
    const { cameras, all } = this.#headroom
    const ofCamera = cameras.get(camera) ?? Number.POSITIVE_INFINITY
    this.#headroom.all = all - bytes
    cameras.set(camera, ofCamera - bytes)
    // once, when it is used up: where a round brings nothing, the next one is a matter of time
    if ((all >= 0 && all < bytes) || (ofCamera >= 0 && ofCamera < bytes)) this.soon()
  }

  /** A part could not be written for want of space. */
  diskFull(): void {
    if (this.#options.now() - this.#lastAt >= pauseMs) this.soon()
  }

  /** Somebody protected recordings, or released some: where room is short, that is looked at right away. */
  protectionChanged(): void {
    const { all, cameras } = this.#room
    if ([all, ...cameras.values()].some((room) => room !== 'enough')) this.soon()
    else this.#due = true
  }

  /** Begins a round, or another one after that which is under way. */
  soon(): void {
    if (this.#abort.signal.aborted) return
    if (this.#round) {
      this.#again = true
      return
    }
    this.#round = this.#rounds().finally(() => {
      this.#round = undefined
    })
  }

  /** Resolves when no round is under way. */
  async settled(): Promise<void> {
    await this.#round
  }

  /** Ends the round that is under way after the file it is at. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort()
    this.#unschedule()
    await this.#round
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #look(): Promise<void> {
    const { disk, limits, now, log } = this.#options
    const used = [this.#headroom.all, ...this.#headroom.cameras.values()].some((bytes) => bytes < 0)
    let low = false
    try {
      const { freeBytes, totalBytes } = await disk.space([])
      low = freeBytes < limits.reserve(totalBytes)
    } catch (error) {
      log.error({ code: asPorchlightError(error).code, err: error }, 'the free space of the disk is not known')
    }
    if (low || used || this.#due || Math.abs(now() - this.#lastAt) >= roundMs) this.soon()
    await this.settled()
  }

  async #rounds(): Promise<void> {
    do {
      this.#again = false
      await this.#prune()
    } while (this.#again && !this.#abort.signal.aborted)
  }

  async #prune(): Promise<void> {
    const { db, disk, decide, now, log, onRoom } = this.#options
    this.#due = false
    try {
      const result = await prune({ db, disk, decide, now, log, signal: this.#abort.signal })
      this.#headroom = result.headroom
      this.#again ||= result.more
      this.#tell(result)
      this.#room = result.room
      onRoom([...result.room.cameras.keys()])
    } catch (error) {
      if (this.#abort.signal.aborted) return
      this.#due = true
      log.error({ code: asPorchlightError(error).code, err: error }, 'recordings could not be looked through')
    }
    this.#lastAt = now()
  }

  #tell({ groups, events, room, shortBytes }: PruneResult): void {
    const { log } = this.#options
    if (groups.length > 0 || events > 0) log.info({ groups, events }, 'recordings deleted')
    const told: [camera: string | undefined, before: Room, now: Room][] = [[undefined, this.#room.all, room.all]]
    for (const [camera, now] of room.cameras) told.push([camera, this.#room.cameras.get(camera) ?? 'enough', now])
    for (const [camera, before, now] of told) {
      if (before === now) continue
      const code = roomCode(now)
      if (code === undefined) log.info({ camera }, 'there is room for recordings again')
      else if (now === 'none') log.error({ camera, code }, 'recording stops: only protected recordings are left')
      else log.warn({ camera, code }, 'protected recordings take nearly all the room')
    }
    if (shortBytes > 0 && room.all === 'enough')
      log.warn({ code: 'disk_full', shortBytes }, 'less than the reserve is free, and not by recordings')
  }
}
