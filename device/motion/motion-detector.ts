import type { ErrorCode } from '@porchlight/proto/errors.ts'
import type { AccessUnit, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import { LumaFrames } from './luma-frames.ts'
import { MotionEvents, type MotionListener } from './motion-events.ts'
import { MotionModel, type Sight } from './motion-model.ts'

const tickEveryMs = 1_000

export interface MotionDetectorOptions {
  /** Where ffmpeg is; undefined: there is none, and motion is unavailable. */
  ffmpeg: { path: string } | undefined
  config: { holdSeconds: number; sensitivity: number }
  /** Capture clock, ms since the Unix epoch. */
  now: () => number
  random?: () => number
  log: Logger
  on: MotionListener
  /** What was seen in each frame that was looked at, for those who measure. */
  onSight?: (captureMs: number, sight: Sight) => void
  /** Motion does not work for the moment, with the reason's code; undefined: it works (again). */
  unavailable: (code: ErrorCode | undefined) => void
}

/** Tells when something moves before one camera, from its sub stream or its main one. */
export class MotionDetector implements AsyncDisposable {
  readonly #options: MotionDetectorOptions
  readonly #events: MotionEvents
  readonly #model: MotionModel
  readonly #frames: LumaFrames | undefined
  #timer: NodeJS.Timeout | undefined
  #failed: ErrorCode | undefined

  constructor(options: MotionDetectorOptions) {
    this.#options = options
    const { config, ffmpeg, log, random, on } = options
    this.#events = new MotionEvents({ holdMs: config.holdSeconds * 1000, on })
    this.#model = new MotionModel(config.sensitivity)
    if (ffmpeg === undefined) {
      this.#fail('ffmpeg_missing')
      return
    }
    this.#frames = new LumaFrames({
      ffmpeg,
      log,
      onFrame: (frame) => {
        this.#fail(undefined)
        const sight = this.#model.push(frame)
        this.#events.sight(frame.captureMs, sight.present && !sight.lightChange)
        options.onSight?.(frame.captureMs, sight)
      },
      onFailure: (error) => {
        // What ffmpeg saw before its end and what it sees after need not be the same place or light.
        this.#model.reset()
        this.#fail(error.code)
      },
      ...(random ? { random } : {}),
    })
    this.#timer = setInterval(() => this.#events.tick(options.now()), tickEveryMs)
  }

  /** Whether something moves now. */
  get active(): boolean {
    return this.#events.active
  }

  /** Pid of the ffmpeg child, for measurements. */
  get pid(): number | undefined {
    return this.#frames?.pid
  }

  /** Format of the stream that is looked at. */
  format(video: VideoFormat | undefined): void {
    this.#frames?.format(video)
  }

  /** One access unit of that stream. @returns whether it is looked at */
  accessUnit(unit: AccessUnit): boolean {
    return this.#frames?.accessUnit(unit) ?? false
  }

  /** Ends a running event and the child. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#events.finish()
    await this.#frames?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #fail(code: ErrorCode | undefined): void {
    if (this.#failed === code) return
    this.#failed = code
    this.#options.unavailable(code)
  }
}
