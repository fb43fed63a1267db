import { type ChildProcess, spawn } from 'node:child_process'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import { AccessUnitAssembler, type Picture } from './access-unit-assembler.ts'
import { AnnexBReader } from './annexb-reader.ts'
import type { CameraListener, CameraSource } from './camera-source.ts'
import type { FrameNumbering } from './frame-numbering.ts'
import { stallMs } from './rtsp-source.ts'

export interface CommandSourceOptions {
  /** Program and arguments; no shell is involved. */
  command: readonly string[]
  listener: CameraListener
  numbering: FrameNumbering
  now: () => number
  monotonic: () => number
  log: Logger
  /** Shorter in tests. */
  stallMs?: number
}

/** A program that hangs is killed after this, ms. */
const killMs = 2_000
/** A pause in the output that ends a picture: the program writes a picture at once, the next start code comes with the next. ms */
const idleMs = 8

/** A program that writes Annex B H.264 to its standard output, such as `rpicam-vid --inline -t 0 -o -`. */
export class CommandSource implements CameraSource {
  readonly ended: Promise<PorchlightError | undefined>
  readonly talk = undefined
  readonly #options: CommandSourceOptions
  readonly #end: (reason: PorchlightError | undefined) => void
  readonly #assembler: AccessUnitAssembler
  readonly #reader: AnnexBReader
  readonly #exited = Promise.withResolvers<void>()
  #child: ChildProcess | undefined
  #watch: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #lastMs = 0
  #lastCapture = 0
  #bframes = false
  #first: { resolve(): void; reject(error: PorchlightError): void } | undefined
  #closing: Promise<void> | undefined

  constructor(options: CommandSourceOptions) {
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<PorchlightError | undefined>()
    this.ended = promise
    this.#end = resolve
    this.#assembler = new AccessUnitAssembler('h264', {
      picture: (picture) => this.#picture(picture),
      facts: ({ width, height }) => options.listener.format({ codec: 'h264', width, height }, undefined),
    })
    this.#reader = new AnnexBReader((nal, atMs) => this.#nal(nal, atMs))
  }

  /** @throws PorchlightError `camera_unreachable` (it cannot be started or ends), `camera_timeout` */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const [program, ...args] = this.#options.command
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#child = child
    this.#lastMs = this.#options.monotonic()
    child.stdout.on('data', (chunk: Uint8Array) => this.#take(chunk))
    child.on('error', (error) => this.#finish(new PorchlightError('camera_unreachable', error.message)))
    child.on('close', (code, killed) => {
      this.#exited.resolve()
      if (this.#closing === undefined) this.#flush() // the last picture: no start code follows it
      this.#finish(new PorchlightError('camera_unreachable', `${program} has ended (${killed ?? code})`))
    })
    const first = Promise.withResolvers<void>()
    this.#first = first
    const aborted = () => this.#finish(new PorchlightError('camera_unreachable', 'given up'))
    signal.addEventListener('abort', aborted)
    this.#watch = setInterval(() => {
      if (this.#options.monotonic() - this.#lastMs <= (this.#options.stallMs ?? stallMs)) return
      this.#finish(new PorchlightError('camera_timeout', `${program} writes no pictures`))
    }, 250)
    try {
      await first.promise
    } catch (error) {
      await this.close()
      throw error
    } finally {
      this.#first = undefined
      signal.removeEventListener('abort', aborted)
    }
  }

  #take(chunk: Uint8Array): void {
    clearTimeout(this.#idle)
    this.#reader.push(chunk, this.#options.now())
    this.#idle = setTimeout(() => this.#flush(), idleMs)
  }

  #flush(): void {
    if (this.#reader.flush()) this.#assembler.flush()
  }

  #nal(nal: Uint8Array, atMs: number): void {
    this.#assembler.pushNal(nal, atMs) // the arrival of its first byte stands for the timestamp
  }

  #picture(picture: Picture): void {
    const { listener, numbering, monotonic } = this.#options
    this.#lastMs = monotonic()
    if (picture.bidirectional && !this.#bframes) {
      this.#bframes = true
      listener.note('camera_bframes')
    }
    this.#lastCapture = Math.max(picture.timestamp, this.#lastCapture + 0.01)
    const { keyframe, reference, data } = picture
    this.#first?.resolve()
    this.#first = undefined // what ends from here on is the end of a stream, not of its start
    listener.accessUnit({
      codec: 'h264',
      frame: numbering.nextVideo(),
      captureMs: this.#lastCapture,
      keyframe,
      reference,
      data,
    })
  }

  requestKeyframe(): boolean {
    return false
  }

  #finish(error: PorchlightError): void {
    if (this.#first !== undefined) this.#first.reject(error)
    else {
      this.#end(error)
      void this.close()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#watch)
    clearTimeout(this.#idle)
    const child = this.#child
    if (child !== undefined && child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), killMs)
      await this.#exited.promise
      clearTimeout(late)
    }
    this.#end(undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
