import { asPorchlightError, type ErrorCode, type PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import { Backoff } from '../link/backoff.ts'
import { wait } from '../link/wait.ts'
import type { Span } from '../preroll/ring.ts'
import { FootageQueue, type QueueLimits } from './footage-queue.ts'
import type { FramesOf } from './frame-answers.ts'
import type { GatewayTarget } from './gateway-request.ts'
import { GoneFrames } from './gone-frames.ts'
import type { FrameRange, FrameRanges } from './ranges.ts'
import { Sender } from './sender.ts'
import type { Spool } from './spool.ts'
import { TokenBucket } from './token-bucket.ts'
import { type Waiting, WaitingSpan } from './waiting.ts'

/** Longest wait between two tries, ms. */
const maxBackoffMs = 60_000

/** A gateway that does not answer is mostly away for all; so often a delivery is tried before it is thought to be its fault. */
const silentTries = 3

/** Refusals that the same bytes will meet again. */
const hopeless: ReadonlySet<ErrorCode> = new Set([
  'footage_invalid',
  'message_too_large',
  'request_invalid',
  'forbidden',
])

export interface UploaderOptions {
  /** Names the numbering of the frames. */
  bootId: string
  limits: QueueLimits & {
    /** Uploads stay below this, kbit/s. */
    maxKbps: number
  }
  target: GatewayTarget
  /** Where what waits is kept; without it only memory bears it. */
  spool?: Spool | undefined
  /** What live sessions leave of the uplink, bit/s; undefined: plenty. */
  spare?: () => number | undefined
  /** Never steps, ms. */
  monotonic: () => number
  random: () => number
  log: Logger
}

/**
 * Delivers footage to the gateway beside the live picture: one delivery at a time, slower than the live stream, resumed
 * where it broke off. What is new goes ahead of what has waited on the disk, and the gateway is told what will never come.
 * The same frames never go twice.
 */
export class FootageUploader implements AsyncDisposable {
  readonly #options: UploaderOptions
  readonly #sender: Sender
  readonly #queue: FootageQueue
  readonly #gone: GoneFrames
  readonly #abort = new AbortController()
  /** Deliveries, and whole cameras, that were refused for now: the others go first. */
  readonly #postponed = new Set<string>()
  /** How often one delivery has failed in a row. */
  #failures = { id: '', times: 0 }
  #running: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #nudge = new AbortController()
  delivered = 0
  deliveredBytes = 0
  /** Frames that the gateway had already when it was asked. */
  knownFrames = 0

  constructor(options: UploaderOptions) {
    const { bootId, limits, monotonic, spare, target, spool, log } = options
    this.#options = options
    const bucket = new TokenBucket(limits.maxKbps, monotonic, wait, spare)
    this.#sender = new Sender({ target, bucket, monotonic })
    this.#gone = new GoneFrames(target, bucket, log)
    const ready = () => this.start()
    this.#queue = new FootageQueue({ bootId, limits, spool, gone: this.#gone, ready, monotonic, log })
  }

  /** Bytes waiting in memory. */
  get queuedBytes(): number {
    return this.#queue.memoryBytes
  }

  /** Deliveries given up. */
  get dropped(): number {
    return this.#queue.dropped
  }

  /** What waits on the disk; undefined without a spool. */
  get spooled(): { bytes: number; files: number; error?: ErrorCode } | undefined {
    const { spool } = this.#options
    if (spool === undefined) return undefined
    const { bytes, files, error } = spool
    return { bytes, files: files.length, ...(error !== undefined && { error }) }
  }

  /** Pictures of a camera that are delivered or wait for it. */
  taken(camera: string): FrameRanges {
    return this.#queue.taken(camera)
  }

  /** Begins with what waits, also with what an earlier run left. */
  start(): void {
    if (this.#abort.signal.aborted || this.#running !== undefined || !this.#hasWork) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      // What was put in while the last run ended.
      this.start()
    })
  }

  /**
   * Takes a span; the frames are referred to, not copied.
   * @param doubtful the gateway may have some of it: it is asked first, and gets what it lacks
   */
  enqueue(camera: string, span: Span, doubtful = false): void {
    if (this.#closing !== undefined) return
    this.#queue.add(camera, span, doubtful)
    this.start()
  }

  /**
   * The gateway lacks these frames: what is neither delivered nor waiting is gone, and it is told so. Frames of this run
   * that the ring has must have been put in before.
   */
  async lacks(of: FramesOf, range: FrameRange): Promise<void> {
    this.#gone.add(of, await this.#queue.lacks(of.camera, of.run, range), 'not_kept')
    this.start()
  }

  /** The gateway is there again: no need to wait any longer. */
  wake(): void {
    this.#postponed.clear()
    this.#nudge.abort()
    this.start()
  }

  /** Ends what is under way, and brings what waits to the disk. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#abort.abort()
    this.#nudge.abort()
    await this.#running
    await this.#queue.close()
  }

  get #hasWork(): boolean {
    return this.#gone.waiting || this.#queue.waits
  }

  #next(): Waiting | undefined {
    return this.#queue.next(({ id, camera }) => !this.#postponed.has(id) && !this.#postponed.has(camera))
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(maxBackoffMs, this.#options.random)
    const { signal } = this.#abort
    while (!signal.aborted && this.#hasWork) {
      await this.#queue.expire()
      this.#nudge = new AbortController()
      const error = await this.#once(signal)
      if (signal.aborted) return
      if (error === undefined) {
        backoff.reset()
        continue
      }
      this.#queue.look()
      await wait(backoff.next(), AbortSignal.any([signal, this.#nudge.signal]))
    }
  }

  /** Tells what is gone, and tries one delivery. @returns why it makes no sense to go on at once */
  async #once(signal: AbortSignal): Promise<PorchlightError | undefined> {
    const untold = await this.#gone.tell(signal)
    if (untold?.code === 'session_timeout') return untold
    const next = this.#next()
    if (next === undefined) {
      // The others are done: those that were refused have their turn again.
      this.#postponed.clear()
      return untold
    }
    this.#queue.underWay = next
    const error = await this.#try(next, signal)
    this.#queue.underWay = undefined
    if (error === undefined || signal.aborted) return error
    const { camera, id } = next
    this.#options.log.info({ camera, delivery: id, code: error.code, detail: error.detail }, 'footage waits')
    // Others need not wait behind what the gateway does not want now, or for ever fails at.
    const unknown = error.code === 'camera_not_found'
    this.#failures = this.#failures.id === id ? { id, times: this.#failures.times + 1 } : { id, times: 1 }
    const silent = error.code === 'session_timeout' && this.#failures.times < silentTries
    if (!silent) this.#postponed.add(unknown ? camera : id)
    const others = this.#next() !== undefined
    if (!others) this.#postponed.clear()
    return unknown && others ? undefined : error
  }

  /** One try of one delivery. @returns why it is not there yet */
  async #try(next: Waiting, signal: AbortSignal): Promise<PorchlightError | undefined> {
    let ranges: readonly FrameRange[] = next instanceof WaitingSpan ? next.ranges : []
    try {
      await using opened = await next.open()
      ranges = opened.ranges
      const { bytes, known } = await this.#sender.send(next, opened, signal)
      this.delivered += 1
      this.deliveredBytes += bytes
      this.knownFrames += known
      const { camera, id } = next
      this.#options.log.debug({ camera, delivery: id, ranges: ranges.slice(0, 8), bytes, known }, 'footage delivered')
      if (!opened.whole) this.#queue.damaged(next, ranges)
    } catch (thrown) {
      const error = asPorchlightError(thrown)
      if (signal.aborted) return error
      if (hopeless.has(error.code)) {
        await this.#queue.refused(next, ranges, error.code)
        return undefined
      }
      if (error.code !== 'spool_unreadable' || isDiskTrouble(error)) return error
      this.#queue.damaged(next, [])
    }
    await this.#queue.done(next)
    return undefined
  }
}

/** The disk does not give a file that is there: it may another time. */
function isDiskTrouble({ code, cause }: PorchlightError): boolean {
  return code === 'spool_unreadable' && cause instanceof Error && 'code' in cause && cause.code !== 'ENOENT'
}
