import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import type { MediaReader } from '../sfu/media-reader.ts'
import type { Completeness } from './completeness.ts'
import type { Intake } from './intake.ts'
import { OpusSound } from './opus-sound.ts'

const tickMs = 2_000
const maxIdleTicks = 5

export interface LiveRecordingOptions {
  intake: Intake
  completeness: Pick<Completeness, 'missing' | 'picturesCome'>
  /** Path of ffmpeg, where there is one. */
  ffmpeg: string | undefined
  log: Logger
  /** Every picture that comes, before it is written. */
  onUnit(unit: AccessUnit): void
}

/** Reads a camera's live pictures and sound into its recording, from when it is made until `stop`. */
export class LiveRecording implements MediaReader {
  readonly #options: LiveRecordingOptions
  #run = ''
  #newest: number | undefined
  readonly #sound: OpusSound
  readonly #timer: NodeJS.Timeout
  #unitsSeen = 0
  #unitsAtTick = 0
  #idleTicks = 0
  #stopped = false

  constructor(options: LiveRecordingOptions) {
    const { ffmpeg, log, intake } = options
    this.#options = options
    this.#sound = new OpusSound({ ffmpeg, log, emit: (frame) => intake.audioFrame(frame) })
    // a camera that falls silent must not keep its last pictures in memory
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  format(run: string, _video: VideoFormat | undefined, audio: AudioFormat | undefined): void {
    if (this.#stopped) return
    if (run !== this.#run) {
      this.#newest = undefined
      this.#options.completeness.picturesCome(run)
    }
    this.#run = run
    this.#options.intake.format(run, this.#sound.format(audio))
  }

  accessUnit(unit: AccessUnit): void {
    if (this.#stopped) return
    this.#unitsSeen += 1
    const expected = this.#newest === undefined ? unit.frame : this.#newest + 1
    if (unit.frame > expected) this.#options.completeness.missing(this.#run, expected, unit.frame - 1)
    this.#newest = Math.max(this.#newest ?? 0, unit.frame)
    this.#options.intake.unit(unit)
    this.#options.onUnit(unit)
  }

  audioFrame(frame: AudioFrame): void {
    if (!this.#stopped) this.#sound.push(frame)
  }

  lost(from: number, to: number): void {
    if (!this.#stopped) this.#options.completeness.missing(this.#run, from, to)
  }

  ended(): void {
    this.#options.intake.flush()
  }

  /** Takes nothing more; resolves when everything taken is written. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#sound.end()
    this.#options.intake.flush()
    await this.#options.intake.settled()
  }

  #tick(): void {
    this.#idleTicks = this.#unitsSeen === this.#unitsAtTick ? this.#idleTicks + 1 : 0
    this.#unitsAtTick = this.#unitsSeen
    // sound that is still being converted belongs to the pictures that wait
    const patience = this.#sound.behind ? maxIdleTicks : 1
    if (this.#idleTicks >= patience) this.#options.intake.flush()
  }
}
