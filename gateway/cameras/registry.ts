import { PorchlightError } from '@porchlight/proto/errors.ts'
import { splitCameraId, toCameraId } from '@porchlight/proto/ids.ts'
import { type CameraState, type Cameras, cameraState } from '@porchlight/proto/messages/cameras.ts'
import type { CameraNotice } from '@porchlight/proto/messages/notice.ts'
import type { Presence } from '@porchlight/proto/messages/presence.ts'
import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../store/schema.ts'
import { isNewerPresence, type PresenceFacts } from './presence-rule.ts'

interface Entry {
  state: CameraState
  /** Of a camera that publishes by itself; undefined: as its device is. */
  online: boolean | undefined
  lastPictureAt: number | null
  /** `lastPictureAt` as stored. */
  storedPictureAt: number | null
  viewers: number
  recording: boolean
  mode: RecordingMode | undefined
  recordingError: string | undefined
  /** JSON of the notice told last. */
  told: string
}

export interface CameraRegistryOptions {
  db: Kysely<Schema>
  log: Logger
  /** ms since the Unix epoch */
  now: () => number
}

/** A newer picture alone is told and stored at most this often, ms. */
const pictureIntervalMs = 10_000

/**
 * The cameras of the house as people see them: what devices say, whether they are connected, and what this gateway does
 * with them. The last state is stored, so that a restarted gateway knows the house before it hears from it.
 */
export class CameraRegistry {
  readonly #options: CameraRegistryOptions
  readonly #entries = new Map<string, Entry>()
  readonly #presence = new Map<string, PresenceFacts>()
  /** Devices that have not been heard since their broker was out of reach. */
  readonly #unheard = new Set<string>()
  readonly #changeListeners = new Set<(notice: CameraNotice) => void>()
  readonly #forgetListeners = new Set<(id: string) => void>()
  readonly #onlineListeners = new Set<(device: string, online: boolean) => void>()
  #storing: Promise<void> = Promise.resolve()

  constructor(options: CameraRegistryOptions) {
    this.#options = options
  }

  /** Reads the last state of enrolled devices' cameras, and of those that publish by themselves. */
  async load(): Promise<void> {
    const rows = await this.#options.db
      .selectFrom('cameras')
      .leftJoin('devices', 'devices.name', 'cameras.device')
      .leftJoin('publish_tokens', 'publish_tokens.camera', 'cameras.id')
      .where((eb) =>
        eb.or([
          eb.and([eb('devices.name', 'is not', null), eb('devices.revoked_at', 'is', null)]),
          eb('publish_tokens.camera', 'is not', null),
        ]),
      )
      .select(['cameras.id', 'cameras.state_json', 'cameras.last_picture_at'])
      .execute()
    for (const row of rows) {
      const state = cameraState.safeParse(JSON.parse(row.state_json))
      if (!state.success || this.#entries.has(row.id)) continue
      this.#entries.set(row.id, {
        ...newEntry(state.data),
        lastPictureAt: row.last_picture_at,
        storedPictureAt: row.last_picture_at,
      })
      this.#changed(row.id)
    }
  }

  /** @returns whether it was news (see presence-rule.ts) */
  presence(device: string, message: Presence): boolean {
    const known = this.#presence.get(device)
    const facts = { online: message.online, bootId: message.bootId, epoch: message.epoch }
    const still = this.#unheard.has(device) && facts.online && facts.epoch === known?.epoch
    if (!still && !isNewerPresence(known, facts)) return false
    this.#presence.set(device, facts)
    this.#unheard.delete(device)
    for (const id of this.ofDevice(device)) this.#changed(id)
    // A new connection counts as coming although no farewell to the old one was heard.
    for (const listener of this.#onlineListeners) listener(device, message.online)
    return true
  }

  /** The broker is out of reach: who is connected is not known, and nobody counts as it, until devices are heard anew. */
  unheard(): void {
    for (const [device, { online }] of this.#presence) {
      if (!online || this.#unheard.has(device)) continue
      this.#unheard.add(device)
      for (const id of this.ofDevice(device)) this.#changed(id)
      for (const listener of this.#onlineListeners) listener(device, false)
    }
  }

  /** Takes a device's list of cameras; those that are not in it any more are forgotten. */
  cameras(device: string, message: Cameras): void {
    const present = new Set<string>()
    for (const state of message.cameras) {
      const id = toCameraId(device, state.camera)
      present.add(id)
      const entry = this.#entries.get(id)
      if (entry && JSON.stringify(entry.state) === JSON.stringify(state)) continue
      if (entry) entry.state = state
      else this.#entries.set(id, newEntry(state))
      this.#store(id)
      this.#changed(id)
    }
    for (const id of this.ofDevice(device)) if (!present.has(id)) this.#forget(id)
  }

  /** Takes how a camera is that publishes by itself. */
  published(id: string, state: CameraState, online: boolean): void {
    const entry = this.#entries.get(id)
    if (entry) Object.assign(entry, { state, online })
    else this.#entries.set(id, newEntry(state, online))
    this.#store(id)
    this.#changed(id)
  }

  /** Forgets a camera that published by itself. */
  forget(id: string): void {
    this.#forget(id)
  }

  /** Forgets a device: it was revoked, or enrolled anew and counts its epochs from the start. */
  forgetDevice(device: string): void {
    const online = this.isOnline(device)
    this.#presence.delete(device)
    this.#unheard.delete(device)
    for (const id of this.ofDevice(device)) this.#forget(id)
    if (online) for (const listener of this.#onlineListeners) listener(device, false)
  }

  recording(camera: string, state: { recording: boolean; error?: string | undefined }): void {
    const entry = this.#entries.get(camera)
    if (!entry) return
    entry.recording = state.recording
    entry.recordingError = state.error
    this.#changed(camera)
  }

  /** Takes what is recorded of a camera from now on. */
  mode(camera: string, mode: RecordingMode): void {
    const entry = this.#entries.get(camera)
    if (!entry) return
    entry.mode = mode
    this.#changed(camera)
  }

  viewers(camera: string, count: number): void {
    const entry = this.#entries.get(camera)
    if (!entry) return
    entry.viewers = count
    this.#changed(camera)
  }

  /** @param captureMs capture time of a picture that the gateway has seen, ms since the Unix epoch */
  picture(camera: string, captureMs: number): void {
    const entry = this.#entries.get(camera)
    if (!entry || captureMs <= (entry.lastPictureAt ?? 0)) return
    entry.lastPictureAt = captureMs
    if (captureMs - (entry.storedPictureAt ?? 0) < pictureIntervalMs) return
    this.#store(camera)
    this.#changed(camera)
  }

  /** Ids of a device's cameras. */
  ofDevice(device: string): string[] {
    return [...this.#entries.keys()].filter((id) => splitCameraId(id).device === device)
  }

  list(): CameraNotice[] {
    return [...this.#entries].map(([id, entry]) => this.#notice(id, entry)).sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** @throws PorchlightError `camera_not_found` */
  get(id: string): CameraNotice {
    const entry = this.#entries.get(id)
    if (!entry) throw new PorchlightError('camera_not_found')
    return this.#notice(id, entry)
  }

  /** What people call it; its id where it is not known. */
  title(id: string): string {
    return this.#entries.get(id)?.state.title ?? id
  }

  isOnline(device: string): boolean {
    return !this.#unheard.has(device) && (this.#presence.get(device)?.online ?? false)
  }

  get devicesOnline(): number {
    return [...this.#presence.keys()].filter((device) => this.isOnline(device)).length
  }

  /** @returns a function that ends the listening */
  onChange(listener: (notice: CameraNotice) => void): () => void {
    this.#changeListeners.add(listener)
    return () => this.#changeListeners.delete(listener)
  }

  /** A camera is no more. @returns a function that ends the listening */
  onForget(listener: (id: string) => void): () => void {
    this.#forgetListeners.add(listener)
    return () => this.#forgetListeners.delete(listener)
  }

  /** A device came (again) or went. @returns a function that ends the listening */
  onOnline(listener: (device: string, online: boolean) => void): () => void {
    this.#onlineListeners.add(listener)
    return () => this.#onlineListeners.delete(listener)
  }

  /** Stores the newest picture times and waits for everything that is being stored. */
  async close(): Promise<void> {
    for (const [id, entry] of this.#entries) if (entry.lastPictureAt !== entry.storedPictureAt) this.#store(id)
    await this.#storing
  }

  #notice(id: string, entry: Entry): CameraNotice {
    const { camera: _, ...state } = entry.state
    return {
      type: 'camera',
      id,
      ...state,
      online: entry.online ?? this.isOnline(splitCameraId(id).device),
      lastPictureAt: entry.lastPictureAt,
      viewers: entry.viewers,
      recording: entry.recording,
      ...(entry.mode !== undefined && { recordingMode: entry.mode }),
      ...(entry.recordingError !== undefined && { recordingError: entry.recordingError }),
    }
  }

  #changed(id: string): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    const notice = this.#notice(id, entry)
    const text = JSON.stringify(notice)
    if (text === entry.told) return
    entry.told = text
    for (const listener of this.#changeListeners) listener(notice)
  }

  #forget(id: string): void {
    this.#entries.delete(id)
    for (const listener of this.#forgetListeners) listener(id)
    this.#write((db) => db.deleteFrom('cameras').where('id', '=', id).execute())
  }

  #store(id: string): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.storedPictureAt = entry.lastPictureAt
    const row = {
      state_json: JSON.stringify(entry.state),
      last_picture_at: entry.lastPictureAt,
      updated_at: this.#options.now(),
    }
    this.#write((db) =>
      db
        .insertInto('cameras')
        .values({ id, device: splitCameraId(id).device, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute(),
    )
  }

  /** One write after the other; one that fails is logged, because the next state comes anyway. */
  #write(write: (db: Kysely<Schema>) => Promise<unknown>): void {
    this.#storing = this.#storing.then(async () => {
      try {
        await write(this.#options.db)
      } catch (error) {
        this.#options.log.error({ err: error }, 'the state of a camera could not be stored')
      }
    })
  }
}

function newEntry(state: CameraState, online?: boolean): Entry {
  return {
    state,
    online,
    lastPictureAt: null,
    storedPictureAt: null,
    viewers: 0,
    recording: false,
    mode: undefined,
    recordingError: undefined,
    told: '',
  }
}
