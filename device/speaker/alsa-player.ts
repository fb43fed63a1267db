import type { Logger } from 'pino'
import { SupervisedChild } from '../ffmpeg/supervised-child.ts'
import type { PcmOutput } from './pcm-output.ts'

/** The sound card is let go after so much silence, ms. */
const idleMs = 3_000
/** What may wait for the card, ms: more would only be heard late. */
const maxDelayMs = 400

/** Plays on an ALSA device by an `aplay` child (alsa-utils), which runs only while somebody talks. */
export class AlsaPlayer implements PcmOutput {
  readonly #options: { device: string; rate: number; log: Logger; command?: string }
  #child: SupervisedChild | undefined
  #idle: NodeJS.Timeout | undefined
  #closed = false

  /** @param options `rate` in samples per second; `command` in place of `aplay` */
  constructor(options: { device: string; rate: number; log: Logger; command?: string }) {
    this.#options = options
  }

  write(pcm: Uint8Array): void {
    if (this.#closed) return
    this.#child ??= this.#start()
    this.#child.write(pcm)
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#stop(), idleMs)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    await this.#child?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #start(): SupervisedChild {
    const { device, rate, log, command = 'aplay' } = this.#options
    const format = ['-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(rate), '--buffer-time=200000']
    return new SupervisedChild({
      command,
      args: ['-q', '-D', device, ...format, '-'],
      log,
      code: 'speaker_failed',
      maxQueuedBytes: (rate * 2 * maxDelayMs) / 1000,
    })
  }

  #stop(): void {
    const child = this.#child
    this.#child = undefined
    child?.close().catch((error: unknown) => this.#options.log.debug({ err: error }, 'aplay did not close'))
  }
}
