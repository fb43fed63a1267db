import { asPorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../store/schema.ts'
import { makeStill } from './make-still.ts'

/** Stills made at a time. */
const maxRunning = 1
/** Stills that wait for their turn. */
const maxWaiting = 32

export interface StillsOptions {
  db: Kysely<Schema>
  /** Path of ffmpeg; undefined: there are no stills. */
  ffmpeg: string | undefined
  /** Writes a file of the recordings directory as a whole. */
  write(path: string, content: Uint8Array): Promise<void>
  log: Logger
  /** The still of an event is there. */
  onStill(eventId: string): void
}

interface Job {
  eventId: string
  camera: string
  units: AccessUnit[]
}

/** Makes the still pictures of events, beside everything else. */
export class Stills implements AsyncDisposable {
  readonly #options: StillsOptions
  readonly #abort = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #waiting: Job[] = []

  constructor(options: StillsOptions) {
    this.#options = options
  }

  /** False without ffmpeg. */
  get available(): boolean {
    return this.#options.ffmpeg !== undefined
  }

  /** @param units from a keyframe up to the picture that is to be shown */
  make(job: Job): void {
    if (this.#abort.signal.aborted || !this.available) return
    if (this.#waiting.length >= maxWaiting) {
      this.#options.log.warn({ event: job.eventId }, 'too many stills wait: this event gets none')
      return
    }
    this.#waiting.push(job)
    this.#next()
  }

  /** Ends what runs. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort()
    this.#waiting = []
    await Promise.all(this.#running)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #next(): void {
    const job = this.#running.size < maxRunning ? this.#waiting.shift() : undefined
    if (job === undefined) return
    const work = this.#make(job)
    this.#running.add(work)
    work.finally(() => {
      this.#running.delete(work)
      this.#next()
    })
  }

  async #make({ eventId, camera, units }: Job): Promise<void> {
    const { ffmpeg, db, write, log, onStill } = this.#options
    if (ffmpeg === undefined) return
    try {
      const jpeg = await makeStill(ffmpeg, units, this.#abort.signal)
      const day = new Date(units.at(-1)!.captureMs).toISOString().slice(0, 10)
      const path = `${camera}/${day}/still-${eventId}.jpg`
      await write(path, jpeg)
      await db.updateTable('events').set({ still_path: path }).where('id', '=', eventId).execute()
      onStill(eventId)
    } catch (error) {
      if (this.#abort.signal.aborted) return
      log.warn({ event: eventId, camera, code: asPorchlightError(error).code, err: error }, 'no still of this event')
    }
  }
}
