import type { AudioFormat, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import { OpusTranscoder } from './opus-transcoder.ts'

export interface OpusSoundOptions {
  /** Path of ffmpeg, where there is one. */
  ffmpeg: string | undefined
  log: Pick<Logger, 'warn'>
  emit(frame: AudioFrame): void
}

/** A camera's sound as Opus: as it is, or through a converter; without ffmpeg it stays what it was. */
export class OpusSound {
  readonly #options: OpusSoundOptions
  #transcoder: OpusTranscoder | undefined

  constructor(options: OpusSoundOptions) {
    this.#options = options
  }

  /** Whether sound is inside that will come out by itself. */
  get behind(): boolean {
    return this.#transcoder?.behind ?? false
  }

  /** Takes sound of this format from now on. @returns the format that comes out */
  format(audio: AudioFormat | undefined): AudioFormat | undefined {
    const { ffmpeg, log, emit } = this.#options
    const needed = audio !== undefined && audio.codec !== 'opus' && ffmpeg !== undefined
    if (needed && this.#transcoder?.alive && this.#transcoder.takes(audio)) return OpusTranscoder.output(audio)
    this.end().catch((error: unknown) => log.warn({ err: error }, 'a converter of sound did not end'))
    if (!needed) return audio
    this.#transcoder = new OpusTranscoder(ffmpeg, audio, emit, log)
    return OpusTranscoder.output(audio)
  }

  push(frame: AudioFrame): void {
    if (this.#transcoder) this.#transcoder.push(frame)
    else this.#options.emit(frame)
  }

  /** Resolves when what was still inside has come out. Idempotent. */
  async end(): Promise<void> {
    const transcoder = this.#transcoder
    this.#transcoder = undefined
    await transcoder?.end()
  }
}
