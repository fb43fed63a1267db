import { decodeG711 } from '@porchlight/proto/media/g711.ts'
import type { Logger } from 'pino'
import type { TalkSink } from '../camera/camera-source.ts'
import { OggOpusWriter } from '../ffmpeg/ogg-opus.ts'
import { SupervisedChild } from '../ffmpeg/supervised-child.ts'
import type { PcmOutput } from './pcm-output.ts'

/** A hole in the talk up to this long is heard as silence, ms; a longer one is a new sentence. */
const maxHoleMs = 1_000

/** G.711 talk: decoded by ourselves, so it needs no ffmpeg. */
export class G711Player implements TalkSink, AsyncDisposable {
  readonly codec: 'pcmu' | 'pcma'
  readonly clockRate = 8_000
  readonly #output: PcmOutput
  #next: number | undefined

  constructor(codec: 'pcmu' | 'pcma', output: PcmOutput) {
    this.codec = codec
    this.#output = output
  }

  send(data: Uint8Array, timestamp: number): void {
    const hole = this.#next === undefined ? 0 : (timestamp - this.#next) | 0
    if (hole > 0 && hole * 1000 <= maxHoleMs * this.clockRate) this.#output.write(new Uint8Array(hole * 2))
    this.#next = (timestamp + data.length) >>> 0
    this.#output.write(decodeG711(this.codec, data))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#output.close()
  }
}

/** Opus talk, decoded by an ffmpeg child: Ogg in, samples out. */
export class OpusPlayer implements TalkSink, AsyncDisposable {
  readonly codec = 'opus'
  readonly clockRate = 48_000
  readonly #output: PcmOutput
  readonly #child: SupervisedChild
  #writer = new OggOpusWriter(1)

  constructor(options: { ffmpeg: { path: string }; log: Logger; output: PcmOutput }) {
    const { ffmpeg, log, output } = options
    this.#output = output
    const input = ['-analyzeduration', '0', '-probesize', '32', '-f', 'ogg', '-i', 'pipe:0']
    const samples = ['-f', 's16le', '-ar', String(this.clockRate), '-ac', '1', '-flush_packets', '1', 'pipe:1']
    this.#child = new SupervisedChild({
      command: ffmpeg.path,
      args: ['-hide_banner', '-v', 'warning', '-nostdin', ...input, ...samples],
      log,
      code: 'speaker_failed',
      maxQueuedBytes: 64 * 1024,
      onStart: () => {
        this.#writer = new OggOpusWriter(1)
      },
      onData: (chunk) => output.write(chunk),
    })
  }

  /** Whether the decoder runs: what is sent before is dropped. */
  get ready(): boolean {
    return this.#child.running
  }

  send(data: Uint8Array): void {
    const page = this.#writer.packet(data)
    if (page.length > 0) this.#child.write(page)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.close()
    await this.#output.close()
  }
}
