import type { Logger } from 'pino'
import type { MediaReader } from '../sfu/media-reader.ts'
import type { Intake } from './intake.ts'
import { LiveRecording } from './live-recording.ts'

/** Without a picture for so long the small layer counts as missing, ms. */
const silentMs = 10_000

/** Nobody keeps pictures of the small layer: what is lost of it stays lost. */
const nobodyKeeps = { missing: () => undefined }

export interface SubRecordingOptions {
  /** Reads the small layer. */
  read(reader: MediaReader): () => void
  newIntake(): Intake
  /** Path of ffmpeg, where there is one. */
  ffmpeg: string | undefined
  log: Logger
  /** The layer is missing, or is there (again). */
  onMissing(): void
}

/**
 * Records the small layer of a camera from when it is switched on, in a run of its own. Where there is none, or none comes,
 * it says so, and its owner records the main layer.
 */
export class SubRecording {
  readonly #options: SubRecordingOptions
  #intake: Intake | undefined
  #reading: { recording: LiveRecording; leave: () => void } | undefined
  #timer: NodeJS.Timeout | undefined
  #missing = false
  #pictures = 0
  #ending: Promise<void> = Promise.resolve()

  constructor(options: SubRecordingOptions) {
    this.#options = options
  }

  /** Whether it is to be recorded, and is not there. */
  get missing(): boolean {
    return this.#reading !== undefined && this.#missing
  }

  get recording(): boolean {
    return this.#reading !== undefined && !this.#missing
  }

  switchOn(on: boolean): void {
    if (on === (this.#reading !== undefined)) return
    if (on) this.#begin()
    else this.#ending = this.#end()
  }

  /** Writes what is there and ends. Idempotent. */
  async close(): Promise<void> {
    this.switchOn(false)
    await this.#ending
  }

  #begin(): void {
    const { ffmpeg, log, newIntake, read } = this.#options
    this.#intake ??= newIntake()
    this.#missing = false
    this.#pictures = 0
    const recording = new LiveRecording({
      ...{ intake: this.#intake, holes: nobodyKeeps, ffmpeg, log },
      onUnit: () => {
        this.#pictures += 1
        this.#found(true)
      },
    })
    this.#reading = { recording, leave: () => undefined }
    this.#timer = setInterval(() => {
      if (this.#pictures === 0) this.#found(false)
      this.#pictures = 0
    }, silentMs)
    this.#reading.leave = read({
      format: (run, video, audio) => {
        if (video === undefined) this.#found(false)
        else recording.format(run, video, audio)
      },
      accessUnit: (unit) => recording.accessUnit(unit),
      audioFrame: (frame) => recording.audioFrame(frame),
      lost: (from, to) => recording.lost(from, to),
      ended: () => recording.ended(),
    })
  }

  async #end(): Promise<void> {
    const reading = this.#reading
    this.#reading = undefined
    clearInterval(this.#timer)
    reading?.leave()
    await reading?.recording.stop()
    if (this.#reading === undefined) await this.#intake?.end()
  }

  #found(here: boolean): void {
    if (this.#missing !== here) return
    this.#missing = !here
    this.#options.onMissing()
  }
}
