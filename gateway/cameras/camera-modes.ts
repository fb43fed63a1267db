import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type RecordingMode, recordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { configuredMode, type RecordingModes } from '../config/recording-mode.ts'
import type { Schema } from '../store/schema.ts'
import type { CameraRegistry } from './registry.ts'

/** How often schedules are looked at, ms. */
const lookMs = 1_000
/** Of the choices in the table of settings; the camera's id follows. */
const keyPrefix = 'recording.'

/** What somebody chose, in place of what is configured. */
const chosenMode = z.object({ mode: recordingMode, since: z.number().describe('ms since the Unix epoch') })
type ChosenMode = z.infer<typeof chosenMode>

/** The mode of a camera, and whether somebody chose it; else it is as configured. */
export interface ModeNow {
  mode: RecordingMode
  chosen: boolean
}

export interface CameraModesOptions {
  db: Kysely<Schema>
  configured: RecordingModes
  cameras: Pick<CameraRegistry, 'list' | 'get' | 'onChange' | 'onForget'>
  /** ms since the Unix epoch */
  now: () => number
}

/** The recording mode of each camera: what somebody chose while the gateway ran, else what is configured for the hour. */
export class CameraModes implements Disposable {
  readonly #options: CameraModesOptions
  readonly #chosen = new Map<string, ChosenMode>()
  /** What was told of the cameras that there are, as JSON. */
  readonly #told = new Map<string, string>()
  readonly #listeners = new Set<(camera: string, now: ModeNow) => void>()
  readonly #stops: (() => void)[] = []

  constructor(options: CameraModesOptions) {
    this.#options = options
  }

  /** Reads what was chosen. */
  async load(): Promise<void> {
    const rows = await this.#options.db
      .selectFrom('settings')
      .selectAll()
      .where('key', 'like', `${keyPrefix}%`)
      .execute()
    for (const { key, value } of rows)
      this.#chosen.set(key.slice(keyPrefix.length), chosenMode.parse(JSON.parse(value)))
  }

  /** Tells listeners of every camera that there is, and from now on of those that come and of each change. Once. */
  start(): void {
    const { cameras } = this.#options
    const timer = setInterval(() => this.#lookAtAll(), lookMs)
    this.#stops.push(
      cameras.onChange(({ id }) => this.#look(id)),
      cameras.onForget((id) => this.#told.delete(id)),
      () => clearInterval(timer),
    )
    this.#lookAtAll()
  }

  now(camera: string): ModeNow {
    const { configured, now } = this.#options
    const chosen = this.#chosen.get(camera)
    // a clock that was set back behind the choice does not undo it
    return { mode: chosen?.mode ?? configuredMode(configured, camera, now()), chosen: chosen !== undefined }
  }

  /** The mode at a moment, ms since the Unix epoch; of the past, as far as it is known: earlier choices are not kept. */
  at(camera: string, ms: number): RecordingMode {
    const chosen = this.#chosen.get(camera)
    return chosen && ms >= chosen.since ? chosen.mode : configuredMode(this.#options.configured, camera, ms)
  }

  isOff(camera: string): boolean {
    return this.now(camera).mode === 'off'
  }

  /** @throws PorchlightError `camera_off` */
  mustBeOn(camera: string): void {
    if (this.isOff(camera)) throw new PorchlightError('camera_off')
  }

  /**
   * Sets the mode of a camera until it is chosen anew, also over restarts; undefined: as it is configured.
   * @throws PorchlightError `camera_not_found`, `index_failed`
   */
  async choose(camera: string, mode: RecordingMode | undefined): Promise<ModeNow> {
    const { db, cameras, now } = this.#options
    cameras.get(camera)
    const key = keyPrefix + camera
    if (mode === undefined) {
      await db.deleteFrom('settings').where('key', '=', key).execute()
      this.#chosen.delete(camera)
    } else {
      const chosen: ChosenMode = { mode, since: now() }
      const value = JSON.stringify(chosen)
      await db
        .insertInto('settings')
        .values({ key, value })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
        .execute()
      this.#chosen.set(camera, chosen)
    }
    this.#look(camera)
    return this.now(camera)
  }

  /** @returns a function that ends the listening */
  onChange(listener: (camera: string, now: ModeNow) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #lookAtAll(): void {
    for (const { id } of this.#options.cameras.list()) this.#look(id)
  }

  #look(camera: string): void {
    const now = this.now(camera)
    const text = JSON.stringify(now)
    if (this.#told.get(camera) === text) return
    // First, because listeners change the camera.
    this.#told.set(camera, text)
    for (const listener of this.#listeners) listener(camera, now)
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}
