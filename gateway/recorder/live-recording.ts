import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import type { MediaReader } from '../sfu/media-reader.ts'
import type { HoleAsker } from './hole-asker.ts'
import type { Intake } from './intake.ts'
import { OpusTranscoder } from './opus-transcoder.ts'
import { maxPartMs } from './part-builder.ts'

/** Times two seconds. */
const maxIdleTicks = 5

export interface LiveRecordingOptions {
  intake: Intake
  holes: HoleAsker
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
  #transcoder: OpusTranscoder | undefined
  readonly #timer: NodeJS.Timeout
  #unitsSeen = 0
  #unitsAtTick = 0
  #idleTicks = 0
  #stopped = false

  constructor(options: LiveRecordingOptions) {
    this.#options = options
    // a camera that falls silent must not keep its last second in memory
    this.#timer = setInterval(() => this.#tick(), 2 * maxPartMs)
  }

  format(run: string, _video: VideoFormat | undefined, audio: AudioFormat | undefined): void {
    if (this.#stopped) return
    if (run !== this.#run) this.#newest = undefined
    this.#run = run
    this.#options.intake.format(run, this.#convert(audio))
  }

  accessUnit(unit: AccessUnit): void {
    if (this.#stopped) return
    this.#unitsSeen += 1
    const expected = this.#newest === undefined ? unit.frame : this.#newest + 1
    if (unit.frame > expected) this.#options.holes.missing(this.#run, expected, unit.frame - 1)
    this.#newest = Math.max(this.#newest ?? 0, unit.frame)
    this.#options.intake.unit(unit)
    this.#options.onUnit(unit)
  }

  audioFrame(frame: AudioFrame): void {
    if (this.#stopped) return
    if (this.#transcoder) this.#transcoder.push(frame)
    else this.#options.intake.audioFrame(frame)
  }

  lost(from: number, to: number): void {
    if (!this.#stopped) this.#options.holes.missing(this.#run, from, to)
  }

  ended(): void {
    this.#options.intake.flush()
  }

  /** Takes nothing more; resolves when everything taken is written. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    const transcoder = this.#transcoder
    this.#transcoder = undefined
    await transcoder?.end()
    this.#options.intake.flush()
    await this.#options.intake.settled()
  }

  #convert(audio: AudioFormat | undefined): AudioFormat | undefined {
    const { ffmpeg, intake, log } = this.#options
    const needed = audio !== undefined && audio.codec !== 'opus' && ffmpeg !== undefined
    if (needed && this.#transcoder?.alive && this.#transcoder.takes(audio)) return OpusTranscoder.output(audio)
    const old = this.#transcoder
    this.#transcoder = undefined
    old?.end().catch((error: unknown) => log.warn({ err: error }, 'a converter of sound did not end'))
    if (!needed) return audio
    this.#transcoder = new OpusTranscoder(ffmpeg, audio, (frame) => intake.audioFrame(frame), log)
    return OpusTranscoder.output(audio)
  }

  #tick(): void {
    this.#idleTicks = this.#unitsSeen === this.#unitsAtTick ? this.#idleTicks + 1 : 0
    this.#unitsAtTick = this.#unitsSeen
    // sound that is still being converted belongs to the pictures that wait
    const patience = this.#transcoder?.behind ? maxIdleTicks : 1
    if (this.#idleTicks >= patience) this.#options.intake.flush()
  }
}
