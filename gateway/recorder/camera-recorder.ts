import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { GoneReason } from '@porchlight/proto/frames.ts'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import type { EventKind } from '@porchlight/proto/messages/event.ts'
import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { MediaReader, VideoLayer } from '../sfu/media-reader.ts'
import { StillPicker, type WantedStill } from '../stills/still-picker.ts'
import type { Stills } from '../stills/stills.ts'
import type { Schema } from '../store/schema.ts'
import { Completeness, type CompletenessCounts } from './completeness.ts'
import type { Disk } from './disk.ts'
import type { RecordingKind } from './file-session.ts'
import { recordFootage } from './footage-recording.ts'
import { Intake } from './intake.ts'
import { CameraLedger } from './ledger.ts'
import { LiveRecording } from './live-recording.ts'
import { Mender } from './mender.ts'
import type { PartRows } from './part-rows.ts'
import { type Room, roomCode } from './retention/room.ts'
import type { LostFrames } from './run-gate.ts'
import type { Spans } from './spans.ts'
import { SubRecording } from './sub-recording.ts'

/** The file of an event stays open so long for the next one, ms: longer than a kept group of pictures. */
const lingerMs = 12_000
/** The rest of an event's pictures may come so much later than they were captured, ms. */
const graceMs = 5_000
/** A motion event's still shows what was there so long after its first sign, ms: somebody, not their shadow. */
const motionStillMs = 500

export interface CameraState {
  /** Something is being recorded. */
  recording: boolean
  /** Why recording fails, or soon will. */
  error?: ErrorCode
}

export interface CameraRecorderOptions {
  camera: string
  db: Kysely<Schema>
  /** Of all cameras. */
  partRows: PartRows
  disk: Disk
  directory: string
  read(reader: MediaReader, layer: VideoLayer): () => void
  ffmpeg: string | undefined
  stills: Stills
  log: Logger
  now: () => number
  /** Asks the device for frames; undefined where nobody keeps any. */
  askFootage: ((run: string, from: number, to: number) => void) | undefined
  /** What is recorded of the camera at a moment. */
  modeAt(ms: number): RecordingMode
  counts: CompletenessCounts
  /** Calls back once after so many ms. @returns takes it back */
  schedule(callback: () => void, ms: number): () => void
  onState(state: CameraState): void
  /** Bytes that are on the disk now. */
  onBytes(bytes: number): void
  onDiskFull(): void
}

interface ActiveEvent {
  recordTo: number | null
  /** Gateway's time after which nothing more is waited for. */
  deadline: number | undefined
}

export interface FootageResult {
  /** Pictures in the delivery. */
  units: number
  /** Those that were recorded before. */
  duplicates: number
}

/** Records one camera: live pictures while events go on, and the footage its device delivers. */
export class CameraRecorder {
  readonly #options: CameraRecorderOptions
  readonly #ledger: CameraLedger
  readonly #mender: Mender
  readonly #completeness: Completeness
  readonly #intake: Intake
  /** Deliveries that are being recorded. */
  readonly #footage = new Set<Intake>()
  readonly #events = new Map<string, ActiveEvent>()
  readonly #sub: SubRecording
  #mode: RecordingMode = 'events'
  #stills: WantedStill[] = []
  #reading: { recording: LiveRecording; leave: () => void } | undefined
  #stopping: Promise<void> = Promise.resolve()
  #writtenToMs = 0
  #seenMs = 0
  #error: ErrorCode | undefined
  #room: Room = 'enough'
  #state = ''
  #timer: NodeJS.Timeout | undefined
  #linger: NodeJS.Timeout | undefined

  constructor(options: CameraRecorderOptions) {
    const { camera, db, directory, log, now, schedule, askFootage: ask, modeAt, counts } = options
    const continuous = (ms: number) => modeAt(ms) === 'continuous'
    this.#options = options
    this.#ledger = new CameraLedger(db, camera)
    this.#mender = new Mender(db, directory, camera)
    const ledger = this.#ledger
    this.#completeness = new Completeness({ camera, db, ledger, log, now, schedule, ask, continuous, counts })
    this.#intake = this.#newIntake('live', (error, frames) => this.#failed(error, frames))
    this.#sub = new SubRecording({
      ...{ ffmpeg: options.ffmpeg, log },
      read: (reader) => options.read(reader, 'sub'),
      newIntake: () => this.#newIntake('sub', (error) => this.#failed(error, undefined)),
      onMissing: () => this.#follow(),
    })
  }

  /** Whether more of the event is to come. */
  isActive(eventId: string): boolean {
    return this.#events.has(eventId)
  }

  /** Protected footage leaves this much room: without any, nothing more is written. */
  hasRoom(room: Room): void {
    if (room === this.#room) return
    this.#room = room
    if (room !== 'none' && this.#error === 'protected_full') this.#error = undefined
    this.#tellState()
  }

  /**
   * Which of the frames `from`…`to` (inclusive) of a run are not on the disk, after what is on its way there.
   * @throws PorchlightError `index_failed`
   */
  async missingFrames(run: string, from: number, to: number): Promise<[from: number, to: number][]> {
    const { video, durable } = await this.#ledger.load(run)
    if (durable.missing(from, to).some(([low, high]) => video.meets(low, high))) await this.#settleIntakes()
    return durable.missing(from, to)
  }

  /** Writes what is open, and waits for what is on its way to the disk. */
  async #settleIntakes(): Promise<void> {
    const intakes = [this.#intake, ...this.#footage]
    for (const intake of intakes) intake.flush()
    await Promise.all(intakes.map((intake) => intake.settled()))
  }

  /**
   * What a delivery need not bring again because it is on its way to the disk has to arrive there before that is said.
   * @throws PorchlightError `disk_failed`, `index_failed`: then the device delivers it again
   */
  async #mustBeDurable(run: string, frames: Spans): Promise<void> {
    const { video, durable } = await this.#ledger.load(run)
    const open = () => frames.list().flatMap(([from, to]) => durable.missing(from, to))
    if (open().length > 0) await this.#settleIntakes()
    const lost = open()
    if (lost.length === 0) return
    for (const [from, to] of lost) video.remove(from, to)
    throw new PorchlightError('disk_failed', 'frames that were on their way to the disk did not arrive')
  }

  /** The device says that frames will never come. @throws PorchlightError `index_failed` */
  framesGone(run: string, ranges: readonly (readonly [number, number])[], reason: GoneReason): Promise<void> {
    return this.#completeness.gone(run, ranges, reason)
  }

  /** The camera's device is connected (as the run `bootId`), or not any more. */
  deviceOnline(online: boolean, bootId: string | undefined): void {
    this.#completeness.online(online, bootId)
  }

  eventBegan(event: { id: string; kind: EventKind; beginAt: number; hasStill: boolean }): void {
    this.#events.set(event.id, { recordTo: null, deadline: undefined })
    if (this.#mode !== 'off') this.#completeness.eventBegan(event.id)
    if (this.#options.stills.available && !event.hasStill) {
      const atMs = event.beginAt + (event.kind === 'motion' ? motionStillMs : 0)
      this.#stills = [...this.#stills.filter(({ eventId }) => eventId !== event.id), { eventId: event.id, atMs }]
    }
    this.#begin()
  }

  eventEnded(event: { id: string; endAt: number; recordTo: number }): void {
    const active = this.#events.get(event.id)
    if (active === undefined) return
    active.recordTo = event.recordTo
    active.deadline = this.#options.now() + Math.max(0, event.recordTo - event.endAt) + graceMs
    this.#settle()
  }

  /** What is recorded from now on. Of a camera that is off nothing is, events or not. */
  record(mode: RecordingMode): void {
    this.#mode = mode
    this.#sub.switchOn(mode === 'continuous-sub')
    this.#follow()
  }

  #follow(): void {
    if (this.#mode === 'off') void this.#stopReading()
    else if (this.#continuous || this.#events.size > 0) this.#begin()
    this.#settle()
  }

  /** Whether all of the main layer is recorded: also in place of a small one that is missing. */
  get #continuous(): boolean {
    return this.#mode === 'continuous' || this.#sub.missing
  }

  /** @throws PorchlightError `footage_invalid`, `disk_*`, `index_failed`: then the device delivers it again */
  async footage(open: () => AsyncIterable<Uint8Array>): Promise<FootageResult> {
    const { ffmpeg, log } = this.#options
    const failures: PorchlightError[] = []
    const intake = this.#newIntake('footage', (error) => failures.push(error))
    const picker = this.#picker()
    let units = 0
    this.#footage.add(intake)
    try {
      const isOff = (ms: number) => this.#options.modeAt(ms) === 'off'
      units = await recordFootage(open, { intake, ffmpeg, log, isOff, onUnit: (unit) => picker.unit(unit) })
    } finally {
      await intake.end()
      this.#footage.delete(intake)
    }
    const [failure] = failures
    if (failure) {
      this.#setError(failure)
      throw failure
    }
    if (intake.known) await this.#mustBeDurable(intake.known.run, intake.known.frames)
    return { units, duplicates: intake.duplicates }
  }

  /** Writes what is there and ends. Idempotent. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    clearTimeout(this.#linger)
    this.#mode = 'off'
    this.#events.clear()
    await this.#sub.close()
    await this.#stopReading()
    await this.#intake.end()
    await this.#completeness.close()
  }

  #newIntake(kind: RecordingKind, onFailed: (error: PorchlightError, frames: LostFrames | undefined) => void): Intake {
    const { disk, db, partRows, camera, now } = this.#options
    return new Intake({
      ...{ disk, db, partRows, camera, kind, now, ledger: this.#ledger, mender: this.#mender, onFailed },
      refusal: () => (this.#room === 'none' ? roomCode(this.#room) : undefined),
      onWritten: ({ part, bytes }) => {
        this.#options.onBytes(bytes)
        this.#completeness.recorded(part.run, part.units[0]!.frame, part.units.at(-1)!.frame)
        // not the latest of all: the clock may have been set back
        if (kind === 'live') this.#writtenToMs = part.endMs
        this.#setError(undefined)
        this.#settle()
      },
    })
  }

  #picker(): StillPicker {
    return new StillPicker(
      () => this.#stills,
      ({ eventId }, units) => {
        this.#stills = this.#stills.filter((wanted) => wanted.eventId !== eventId)
        this.#options.stills.make({ eventId, camera: this.#options.camera, units })
      },
    )
  }

  #begin(): void {
    clearTimeout(this.#linger)
    if (this.#reading === undefined && this.#mode !== 'off') {
      const { read, ffmpeg, log } = this.#options
      const picker = this.#picker()
      const onUnit = (unit: AccessUnit) => {
        picker.unit(unit)
        this.#seenMs = unit.captureMs
        this.#settleIfReached(unit.captureMs)
      }
      const completeness = this.#completeness
      const recording = new LiveRecording({ intake: this.#intake, completeness, ffmpeg, log, onUnit })
      this.#reading = { recording, leave: () => undefined }
      this.#reading.leave = read(recording, 'video')
    }
    this.#tellState()
  }

  #settleIfReached(captureMs: number): void {
    if (this.#continuous) return
    for (const { recordTo } of this.#events.values()) if (recordTo === null || recordTo > captureMs) return
    this.#settle()
  }

  /** Ends what has all it waits for: events whose end is written, and the reading when no event needs it. */
  #settle(): void {
    const now = this.#options.now()
    for (const [id, { recordTo, deadline }] of this.#events) {
      if (recordTo === null || deadline === undefined) continue
      if (this.#writtenToMs >= recordTo || (now >= deadline && this.#reading === undefined)) this.#events.delete(id)
    }
    const eventsNeed = [...this.#events.values()].some(
      ({ recordTo, deadline }) => recordTo === null || (this.#seenMs < recordTo && now < (deadline ?? now)),
    )
    if (!eventsNeed && !this.#continuous) this.#stopReading()
    const next = Math.min(...[...this.#events.values()].map(({ deadline }) => deadline ?? Number.POSITIVE_INFINITY))
    clearTimeout(this.#timer)
    if (Number.isFinite(next)) this.#timer = setTimeout(() => this.#settle(), Math.max(100, next - now))
    this.#tellState()
  }

  #stopReading(): Promise<void> {
    const reading = this.#reading
    if (reading === undefined) return this.#stopping
    this.#reading = undefined
    reading.leave()
    this.#stopping = reading.recording.stop().then(() => {
      // whatever came is written: nothing more is to be waited for
      for (const [id, { recordTo }] of this.#events) {
        if (recordTo !== null && this.#reading === undefined) this.#events.delete(id)
      }
      this.#stills = this.#stills.filter(({ eventId }) => this.#events.has(eventId))
      if (this.#reading === undefined) this.#lingerThenEnd()
      this.#tellState()
    })
    return this.#stopping
  }

  #lingerThenEnd(): void {
    clearTimeout(this.#linger)
    this.#linger = setTimeout(() => {
      this.#intake.end().catch((error: unknown) => this.#options.log.error({ err: error }, 'a file was not ended'))
    }, lingerMs)
    this.#linger.unref()
  }

  #failed(error: PorchlightError, frames: LostFrames | undefined): void {
    const { camera, log } = this.#options
    log.error({ camera, code: error.code, err: error, frames }, 'not recorded')
    // the device may still have them when the disk can be written again
    if (frames) this.#completeness.unwritten(frames.run, frames.from, frames.to, error.code)
    this.#setError(error)
  }

  #setError(error: PorchlightError | undefined): void {
    this.#error = error?.code
    if (error?.code === 'disk_full') this.#options.onDiskFull()
    this.#tellState()
  }

  #tellState(): void {
    const state: CameraState = {
      recording:
        (this.#reading !== undefined || this.#sub.recording) && this.#error === undefined && this.#room !== 'none',
    }
    const error = this.#error ?? roomCode(this.#room)
    if (error !== undefined) state.error = error
    const text = JSON.stringify(state)
    if (text === this.#state) return
    this.#state = text
    this.#options.onState(state)
  }
}
