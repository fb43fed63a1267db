import type { AudioFormat, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import { OggReader, opusSamples } from '../ffmpeg/ogg-opus.ts'
import { SupervisedChild } from '../ffmpeg/supervised-child.ts'

/** Makes sound of one codec from sound of another for a live session. */
export interface LiveAudio extends AsyncDisposable {
  /** One frame of the camera's. What cannot be taken is dropped. Never throws. */
  push(frame: AudioFrame): void
  /** Idempotent. */
  close(): Promise<void>
}

const opusRate = 48_000
/** Input times remembered: seconds of frames that ffmpeg may hold. */
const maxMarks = 1024

/** AAC → Opus by an ffmpeg child: ADTS in, Ogg out. Numbers of the frames are its own, from 0. */
export class AacToOpus implements LiveAudio {
  readonly #onFrame: (frame: AudioFrame) => void
  readonly #child: SupervisedChild
  readonly #channels: number
  #reader: OggReader
  /** Where in the input's sound (s) which capture time lies. */
  #marks: { atS: number; captureMs: number }[] = []
  #fedS = 0
  #madeS = 0
  #frame = 0

  constructor(options: {
    ffmpeg: { path: string }
    log: Logger
    format: AudioFormat
    onFrame: (frame: AudioFrame) => void
  }) {
    const { ffmpeg, log, format, onFrame } = options
    this.#onFrame = onFrame
    this.#channels = Math.min(2, format.channels)
    this.#reader = this.#freshReader()
    const codec = ['-c:a', 'libopus', '-application', 'lowdelay', '-frame_duration', '20', '-b:a', '48k']
    const input = ['-analyzeduration', '0', '-probesize', '512', '-f', 'aac', '-i', 'pipe:0']
    const output = [
      '-ar',
      String(opusRate),
      '-ac',
      String(this.#channels),
      '-page_duration',
      '1',
      '-flush_packets',
      '1',
    ]
    this.#child = new SupervisedChild({
      command: ffmpeg.path,
      args: ['-hide_banner', '-v', 'warning', '-nostdin', ...input, ...codec, ...output, '-f', 'ogg', 'pipe:1'],
      log,
      maxQueuedBytes: 512 * 1024,
      onStart: () => this.#restarted(),
      onData: (chunk) => this.#reader.push(chunk),
    })
  }

  /** Whether ffmpeg runs: what is pushed before is dropped. */
  get ready(): boolean {
    return this.#child.running
  }

  push(frame: AudioFrame): void {
    const header = frame.config && adtsHeader(frame.config, frame.data.length)
    if (header === undefined) return
    if (!this.#child.write(Buffer.concat([header, frame.data]))) return
    this.#mark(frame)
    this.#fedS += frame.samples / frame.clockRate
  }

  close(): Promise<void> {
    return this.#child.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #mark(frame: AudioFrame): void {
    this.#marks.push({ atS: this.#fedS, captureMs: frame.captureMs })
    if (this.#marks.length > maxMarks) this.#marks.shift()
  }

  #restarted(): void {
    this.#reader = this.#freshReader()
    this.#marks = []
    this.#fedS = 0
    this.#madeS = 0
  }

  #freshReader(): OggReader {
    let headers = 2 // OpusHead and OpusTags (RFC 7845 §3)
    return new OggReader((packet) => {
      if (headers > 0) headers--
      else this.#packet(packet)
    })
  }

  #packet(data: Uint8Array): void {
    const samples = opusSamples(data)
    while (this.#marks.length > 1 && this.#marks[1]!.atS <= this.#madeS) this.#marks.shift()
    const mark = this.#marks[0]
    const atS = this.#madeS
    this.#madeS += samples / opusRate
    if (mark === undefined || samples === 0) return
    const captureMs = mark.captureMs + (atS - mark.atS) * 1000
    const frame = this.#frame++
    this.#onFrame({ codec: 'opus', frame, captureMs, clockRate: opusRate, channels: this.#channels, samples, data })
  }
}

/**
 * ADTS header of an AAC access unit (ISO/IEC 13818-7 §6.2) from its AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1);
 * undefined where the configuration cannot be said in ADTS.
 */
export function adtsHeader(config: Uint8Array, bytes: number): Uint8Array | undefined {
  if (config.length < 2) return undefined
  const objectType = config[0]! >> 3
  const rateIndex = ((config[0]! & 7) << 1) | (config[1]! >> 7)
  const channels = (config[1]! >> 3) & 0x0f
  const length = bytes + 7
  if (rateIndex > 12 || channels === 0 || channels > 7 || length > 0x1fff) return undefined
  // HE-AAC (5, 29) is Low Complexity with an extension that the decoder finds by itself.
  const profile = objectType >= 1 && objectType <= 4 ? objectType - 1 : 1
  return Uint8Array.of(
    0xff,
    0xf1,
    (profile << 6) | (rateIndex << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  )
}
