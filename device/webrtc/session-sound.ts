import type { AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { LiveAudio } from './live-audio.ts'
import { isLiveAudioCodec, type LiveAudioCodec } from './offer-lines.ts'
import type { ProducerSessionOptions } from './producer-options.ts'

/** The camera's sound as one session sends it: as it comes, or made into Opus. */
export class SessionSound {
  /** What is sent; undefined: no sound. */
  readonly line: { codec: LiveAudioCodec; clockRate: number } | undefined
  readonly #transcode: LiveAudio | undefined
  readonly #send: (frame: AudioFrame) => void

  constructor(options: Pick<ProducerSessionOptions, 'formats' | 'liveAudio'>, send: (frame: AudioFrame) => void) {
    this.#send = send
    const format = options.formats.audio
    if (format === undefined) return
    const { codec } = format
    if (isLiveAudioCodec(codec)) {
      this.line = { codec, clockRate: codec === 'opus' ? 48_000 : 8_000 }
      return
    }
    this.#transcode = options.liveAudio?.(format, send)
    if (this.#transcode) this.line = { codec: 'opus', clockRate: 48_000 }
  }

  /** A frame of the camera's. */
  push(frame: AudioFrame): void {
    if (!this.line) return
    if (this.#transcode) this.#transcode.push(frame)
    else this.#send(frame)
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#transcode?.close()
  }
}
