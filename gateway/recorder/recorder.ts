import { join } from 'node:path'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import type { GoneReason } from '@porchlight/proto/frames.ts'
import type { EventKind } from '@porchlight/proto/messages/event.ts'
import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { MediaReader, VideoLayer } from '../sfu/media-reader.ts'
import { Stills } from '../stills/stills.ts'
import type { Schema } from '../store/schema.ts'
import { CameraRecorder, type CameraState, type FootageResult } from './camera-recorder.ts'
import { keepIdentity, readClaim } from './claim.ts'
import type { CompletenessCounts } from './completeness.ts'
import { Deliveries } from './deliveries.ts'
import { Disk } from './disk.ts'
import { PartRows } from './part-rows.ts'
import { reconcile } from './reconcile.ts'
import { decideHere, decideInThread } from './retention/decide.ts'
import { type RetentionSettings, retentionLimits } from './retention/limits.ts'
import { Retention } from './retention/retention.ts'

export interface RecorderOptions {
  db: Kysely<Schema>
  /** The recordings directory. */
  directory: string
  /** Where pictures come from. A reader stays over producers until it leaves. */
  sfu: { read(camera: string, reader: MediaReader, layer: VideoLayer): () => void }
  /** Path of ffmpeg; without it there are no stills, and G.711 and AAC stay as they are. */
  ffmpeg: string | undefined
  log: Logger
  /** ms since the Unix epoch */
  now: () => number
  /** Asks the device for frames `from`…`to` (inclusive) of a run. */
  askFootage(camera: string, run: string, from: number, to: number): void
  /** Whether somebody keeps frames of a camera who can be asked for them. Default: yes */
  keepsFootage?(camera: string): boolean
  /** Whether all of a camera is to be recorded at a moment. Default: no */
  modeAt?(camera: string, ms: number): RecordingMode
  /** What is counted of recordings that lack something. */
  counts?: CompletenessCounts
  /** URL of a module whose `fileLayer` stands for the disk; the real one otherwise. */
  fileLayer?: string
  /** What is deleted by itself. Default: nothing. */
  retention?: RetentionSettings
  /** Where the index is: it is then looked through in a thread of its own. */
  indexPath?: string
  /** Calls back once after so many ms. @returns takes it back. Default: a timer */
  schedule?(callback: () => void, ms: number): () => void
}

/** Records all cameras: what happens live, and what their devices deliver later. */
export class Recorder implements AsyncDisposable {
  /** Footage on its way from devices. */
  readonly deliveries: Deliveries
  readonly #options: RecorderOptions
  readonly #disk: Disk
  readonly #partRows: PartRows
  readonly #stills: Stills
  readonly #retention: Retention | undefined
  readonly #cameras = new Map<string, CameraRecorder>()
  readonly #onState = new Set<(camera: string, state: CameraState) => void>()
  readonly #onStill = new Set<(eventId: string) => void>()
  readonly #footage = new Set<Promise<unknown>>()
  #reconciled: string | undefined
  #closing: Promise<void> | undefined

  constructor(options: RecorderOptions) {
    const { db, directory, ffmpeg, fileLayer } = options
    const log = options.log.child({ part: 'recorder' })
    this.#options = { ...options, log }
    this.#partRows = new PartRows(db)
    this.#disk = new Disk({ directory, fileLayer }, (disk) => this.#claim(disk))
    this.deliveries = new Deliveries({
      ...{ directory: join(directory, '.incoming'), now: options.now, log },
      ready: () => this.#disk.ready(),
      record: (camera, open) => this.footage(camera, open),
    })
    const write = (path: string, content: Uint8Array) => this.#disk.replace(path, content)
    const onStill = (eventId: string) => this.#each(this.#onStill, (listener) => listener(eventId))
    this.#stills = new Stills({ db, ffmpeg, write, log, onStill })
    this.#retention = options.retention && this.#newRetention(options.retention)
  }

  /**
   * Takes in what an earlier gateway left behind. Call before the first event. Where the directory cannot be used yet, that
   * is logged, and each recording tries again.
   * @throws PorchlightError `recordings_in_use`
   */
  async start(): Promise<void> {
    const { log } = this.#options
    if (!this.#stills.available) log.warn({ code: 'ffmpeg_missing' }, 'no ffmpeg: no stills')
    try {
      await this.#disk.ready()
    } catch (error) {
      if (error instanceof PorchlightError && error.code === 'recordings_in_use') throw error
      log.error({ err: error, code: asPorchlightError(error).code }, 'the recordings directory cannot be used')
    }
    this.#retention?.start()
  }

  /** An event was protected, or is not any more. */
  protectionChanged(): void {
    this.#retention?.protectionChanged()
  }

  eventBegan(event: { id: string; camera: string; kind: EventKind; beginAt: number; hasStill?: boolean }): void {
    this.#camera(event.camera).eventBegan({ ...event, hasStill: event.hasStill ?? false })
  }

  /** What is recorded of a camera from now on. */
  record(camera: string, mode: RecordingMode): void {
    if (mode !== 'events' || this.#cameras.has(camera)) this.#camera(camera).record(mode)
  }

  /** Recording goes on until `recordTo` (ms, device clock) has been written, or does not come. */
  eventEnded(event: { id: string; camera: string; endAt: number; recordTo: number }): void {
    this.#camera(event.camera).eventEnded(event)
  }

  /** Whether more of an event is to be recorded. */
  isActive(camera: string, eventId: string): boolean {
    return this.#cameras.get(camera)?.isActive(eventId) ?? false
  }

  /**
   * Records a delivery; resolves when all of it is on the disk.
   * @param open its bytes (proto/footage.ts) from the beginning; called more than once
   * @throws PorchlightError `footage_invalid`, `recording_codec`, `disk_*`, `index_failed`
   */
  async footage(camera: string, open: () => AsyncIterable<Uint8Array>): Promise<FootageResult> {
    const work = this.#camera(camera).footage(open)
    this.#footage.add(work)
    try {
      return await work
    } finally {
      this.#footage.delete(work)
    }
  }

  /**
   * Which of the frames `from`…`to` (inclusive) of a run are not on the disk, after what is on its way there.
   * @throws PorchlightError `index_failed`
   */
  missingFrames(camera: string, run: string, from: number, to: number): Promise<[from: number, to: number][]> {
    return this.#camera(camera).missingFrames(run, from, to)
  }

  /** A device says that frames will never come. @throws PorchlightError `index_failed` */
  framesGone(
    camera: string,
    run: string,
    ranges: readonly (readonly [number, number])[],
    reason: GoneReason,
  ): Promise<void> {
    return this.#camera(camera).framesGone(run, ranges, reason)
  }

  /** A camera's device is connected (as the run `bootId`), or not any more. */
  deviceOnline(camera: string, online: boolean, bootId: string | undefined): void {
    this.#camera(camera).deviceOnline(online, bootId)
  }

  /** @returns takes the listener away */
  onState(listener: (camera: string, state: CameraState) => void): () => void {
    this.#onState.add(listener)
    return () => this.#onState.delete(listener)
  }

  /** @returns takes the listener away */
  onStill(listener: (eventId: string) => void): () => void {
    this.#onStill.add(listener)
    return () => this.#onStill.delete(listener)
  }

  /** Writes what is there, then ends. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#footage)
    await this.#retention?.close()
    await Promise.all([...this.#cameras.values()].map((camera) => camera.close()))
    await this.#stills.close()
    await this.#disk.close()
  }

  /** Makes sure that the directory is the index' own, then brings the index up to it. */
  async #claim(disk: Disk): Promise<void> {
    const { db, log, now } = this.#options
    const claim = await readClaim(db)
    const identity = await disk.claim(claim)
    if (identity !== claim.expected) await keepIdentity(db, identity, identity === claim.fresh ? undefined : now())
    // a disk that was away for a while: what is open on it is ours
    if (this.#reconciled === identity) return
    this.#reconciled = identity
    try {
      await reconcile(db, disk, log)
    } catch (error) {
      log.error(
        { err: error, code: asPorchlightError(error).code },
        'the recordings on disk could not be looked through',
      )
    }
  }

  #camera(camera: string): CameraRecorder {
    const known = this.#cameras.get(camera)
    if (known) return known
    const { db, directory, sfu, ffmpeg, log, now, askFootage, modeAt, counts, schedule = byTimer } = this.#options
    const keepsFootage = this.#options.keepsFootage?.(camera) ?? true
    const made = new CameraRecorder({
      ...{ camera, db, directory, ffmpeg, now, log: log.child({ camera }) },
      ...{ partRows: this.#partRows, disk: this.#disk, stills: this.#stills },
      read: (reader, layer) => sfu.read(camera, reader, layer),
      askFootage: keepsFootage ? (run, from, to) => askFootage(camera, run, from, to) : undefined,
      modeAt: (ms) => modeAt?.(camera, ms) ?? 'events',
      ...{ counts: counts ?? nothingCounted, schedule },
      onState: (state) => this.#each(this.#onState, (listener) => listener(camera, state)),
      onBytes: (bytes) => this.#retention?.wrote(camera, bytes),
      onDiskFull: () => this.#retention?.diskFull(),
    })
    this.#cameras.set(camera, made)
    made.hasRoom(this.#retention?.room(camera) ?? 'enough')
    return made
  }

  #newRetention(settings: RetentionSettings): Retention {
    const { db, now, log, indexPath, schedule = byTimer } = this.#options
    const limits = retentionLimits(settings)
    const decide = indexPath === undefined ? decideHere(db, limits) : decideInThread(indexPath, settings)
    const onRoom = (cameras: readonly string[]) => this.#roomChanged(cameras)
    return new Retention({ db, disk: this.#disk, limits, decide, now, log, schedule, onRoom })
  }

  #roomChanged(cameras: readonly string[]): void {
    if (this.#closing) return
    for (const camera of new Set([...cameras, ...this.#cameras.keys()])) {
      const room = this.#retention?.room(camera) ?? 'enough'
      if (room !== 'enough' || this.#cameras.has(camera)) this.#camera(camera).hasRoom(room)
    }
  }

  #each<T>(listeners: ReadonlySet<T>, call: (listener: T) => void): void {
    for (const listener of listeners) {
      try {
        call(listener)
      } catch (error) {
        this.#options.log.error({ err: error }, 'a listener of the recorder failed')
      }
    }
  }
}

const nothingCounted: CompletenessCounts = {
  gap: () => undefined,
  filled: () => undefined,
  prerollMissing: () => undefined,
}

function byTimer(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms)
  timer.unref()
  return () => clearTimeout(timer)
}
