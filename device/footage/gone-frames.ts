import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'
import { type GoneReason, maxFrameRanges } from '@porchlight/proto/frames.ts'
import type { Logger } from 'pino'
import { type FramesOf, tellGone } from './frame-answers.ts'
import type { GatewayTarget } from './gateway-request.ts'
import { type FrameRange, FrameRanges } from './ranges.ts'
import type { TokenBucket } from './token-bucket.ts'

/** Cameras, runs and reasons at once. */
const maxReports = 64

/** Frames that will never come, until the gateway has heard of it. Bounded: the oldest reports are forgotten. */
export class GoneFrames {
  readonly #target: GatewayTarget
  readonly #bucket: TokenBucket
  readonly #log: Logger
  readonly #reports = new Map<string, { of: FramesOf; reason: GoneReason; frames: FrameRanges }>()

  constructor(target: GatewayTarget, bucket: TokenBucket, log: Logger) {
    this.#target = target
    this.#bucket = bucket
    this.#log = log
  }

  /** Whether there is anything to tell. */
  get waiting(): boolean {
    return this.#reports.size > 0
  }

  add({ camera, run }: FramesOf, ranges: readonly FrameRange[], reason: GoneReason): void {
    if (ranges.length === 0) return
    const key = `${camera} ${run} ${reason}`
    const report = this.#reports.get(key) ?? { of: { camera, run }, reason, frames: new FrameRanges(maxFrameRanges) }
    this.#reports.set(key, report)
    for (const [from, to] of ranges) report.frames.add(from, to)
    const [oldest] = this.#reports.keys()
    if (this.#reports.size > maxReports && oldest !== undefined) this.#reports.delete(oldest)
  }

  /** Tells all of it. @returns why it has to be tried again; undefined: the gateway has heard of everything */
  async tell(signal: AbortSignal): Promise<PorchlightError | undefined> {
    for (const [key, { of, reason, frames }] of this.#reports) {
      const { ranges } = frames
      try {
        await tellGone(this.#target, of, { ranges, reason }, this.#bucket, signal)
        this.#log.info({ ...of, reason, ranges: ranges.slice(0, 8) }, 'the gateway knows what will never come')
      } catch (thrown) {
        const error = asPorchlightError(thrown)
        if (error.retryable) return error
        this.#log.warn(
          { ...of, code: error.code, detail: error.detail },
          'the gateway does not want to hear what is gone',
        )
      }
      // What was put in meanwhile is told with the next.
      for (const [from, to] of ranges) frames.remove(from, to)
      if (frames.ranges.length === 0) this.#reports.delete(key)
    }
    return undefined
  }
}
