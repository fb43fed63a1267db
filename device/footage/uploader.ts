import { asPorchlightError, type ErrorCode, type PorchlightError } from '@porchlight/proto/errors.ts'
import type { GoneReason } from '@porchlight/proto/frames.ts'
import type { Logger } from 'pino'
import { Backoff } from '../link/backoff.ts'
import { wait } from '../link/wait.ts'
import type { Span } from '../preroll/ring.ts'
import { splitSpan } from './footage-body.ts'
import type { FramesOf } from './frame-answers.ts'
import type { GatewayTarget } from './gateway-request.ts'
import { GoneFrames } from './gone-frames.ts'
import { MemoryQueue } from './memory-queue.ts'
import { type FrameRange, FrameRanges } from './ranges.ts'
import { Sender } from './sender.ts'
import { Spiller } from './spiller.ts'
import type { Spool } from './spool.ts'
import { SpooledFile } from './spooled-file.ts'
import { TokenBucket } from './token-bucket.ts'
import { type Waiting, WaitingSpan } from './waiting.ts'

/** One delivery is about this long, bytes (and at most 64 MB with the largest group of pictures). */
export const deliveryBytes = 8 * 1024 * 1024
/** Longest wait between two tries, ms. */
const maxBackoffMs = 60_000

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
  limits: {
    maxKbps: number
    /** Bytes in memory. */
    queueBytes: number
    /** Age of what waits in memory, h; the spool has its own. */
    maxHours: number
    /** What waited so long goes to the spool, ms. */
    holdMs?: number
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
 * where it broke off. What is new goes ahead of what has waited on the disk. What the bounds of memory and spool drop is
 * counted, and the gateway is told. The same frames never go twice.
 */
export class FootageUploader implements AsyncDisposable {
  readonly #options: UploaderOptions
  readonly #bucket: TokenBucket
  readonly #sender: Sender
  readonly #taken = new Map<string, FrameRanges>()
  readonly #abort = new AbortController()
  readonly #memory: MemoryQueue
  readonly #spiller: Spiller | undefined
  readonly #gone: GoneFrames
  /** Deliveries, and whole cameras, that were refused for now: the others go first. */
  readonly #postponed = new Set<string>()
  #underWay: Waiting | undefined
  #running: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #nudge = new AbortController()
  delivered = 0
  deliveredBytes = 0
  /** Frames that the gateway had already when it was asked. */
  knownFrames = 0
  dropped = 0

  constructor(options: UploaderOptions) {
    const { limits, monotonic, spare, target, spool, log } = options
    this.#options = options
    this.#bucket = new TokenBucket(limits.maxKbps, monotonic, wait, spare)
    this.#sender = new Sender({ target, bucket: this.#bucket, monotonic })
    this.#gone = new GoneFrames(target, this.#bucket, log)
    this.#memory = new MemoryQueue(limits.queueBytes)
    if (spool !== undefined) {
      this.#spiller = new Spiller({
        ...{ memory: this.#memory, spool, monotonic, log, batchBytes: deliveryBytes },
        ...(limits.holdMs !== undefined && { holdMs: limits.holdMs }),
        underWay: () => this.#underWay,
        looked: () => this.#expire().then(() => this.#start()),
      })
    }
  }

  /** Bytes waiting in memory. */
  get queuedBytes(): number {
    return this.#memory.bytes
  }

  /** What waits on the disk; undefined without a spool. */
  get spooled(): { bytes: number; files: number; error?: ErrorCode } | undefined {
    const { spool } = this.#options
    if (spool === undefined) return undefined
    const { bytes, files, error } = spool
    return { bytes, files: files.length, ...(error !== undefined && { error }) }
  }

  /** Begins with what an earlier run left. */
  start(): void {
    this.#start()
  }

  /** Pictures of a camera that are delivered or wait for it. */
  taken(camera: string): FrameRanges {
    let ranges = this.#taken.get(camera)
    if (ranges === undefined) {
      ranges = new FrameRanges()
      this.#taken.set(camera, ranges)
    }
    return ranges
  }

  /**
   * Takes a span; the frames are referred to, not copied.
   * @param doubtful the gateway may have some of it: it is asked first, and gets what it lacks
   */
  enqueue(camera: string, span: Span, doubtful = false): void {
    if (this.#closing !== undefined) return
    const { bootId, monotonic } = this.#options
    for (const piece of splitSpan(span, deliveryBytes)) {
      const waiting = new WaitingSpan({ camera, run: bootId, span: piece, bornMs: monotonic(), doubtful })
      for (const [from, to] of waiting.ranges) this.taken(camera).add(from, to)
      this.#memory.add(waiting)
    }
    this.#spiller?.look()
    for (let most = this.#memory.overflow(this.#underWay); most; most = this.#memory.overflow(this.#underWay)) {
      this.#giveUp(most, most.ranges, 'queue_full')
      this.#memory.remove(most)
    }
    this.#start()
  }

  /**
   * The gateway lacks these frames: what is neither delivered nor waiting is gone, and it is told so. Frames of this run
   * that the ring has must have been put in before.
   */
  async lacks(of: FramesOf, range: FrameRange): Promise<void> {
    const { bootId, spool } = this.#options
    const has =
      of.run === bootId
        ? this.taken(of.camera)
        : FrameRanges.of((await spool?.framesOf(of.camera, of.run, range)) ?? [])
    this.#gone.add(of, has.missing(...range), 'not_kept')
    this.#start()
  }

  /** The gateway is there again: no need to wait any longer. */
  wake(): void {
    this.#postponed.clear()
    this.#nudge.abort()
    this.#start()
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
    await this.#spiller?.close()
    for (const span of [...this.#memory.spans]) {
      this.#giveUp(span, span.ranges, 'not_kept')
      this.#memory.remove(span)
    }
  }

  #start(): void {
    if (this.#abort.signal.aborted || this.#running !== undefined) return
    if (!this.#gone.waiting && !this.#waits) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      // What was put in while the last run ended.
      this.#start()
    })
  }

  get #waits(): boolean {
    return this.#memory.spans.some((span) => !span.leaving) || (this.#options.spool?.files.length ?? 0) > 0
  }

  /** What is new first, then what has waited longest. */
  #next(): Waiting | undefined {
    const free = (waiting: Waiting) => !this.#postponed.has(waiting.id) && !this.#postponed.has(waiting.camera)
    const fresh = this.#memory.spans.find((span) => !span.leaving && free(span))
    return fresh ?? this.#options.spool?.files.find(free)
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(maxBackoffMs, this.#options.random)
    const { signal } = this.#abort
    while (!signal.aborted && (this.#gone.waiting || this.#waits)) {
      await this.#expire()
      this.#nudge = new AbortController()
      const error = await this.#once(signal)
      if (signal.aborted) return
      if (error === undefined) {
        backoff.reset()
        continue
      }
      this.#spiller?.look()
      await wait(backoff.next(), AbortSignal.any([signal, this.#nudge.signal]))
    }
  }

  /** Tells what is gone, and tries one delivery. @returns why it makes no sense to go on at once */
  async #once(signal: AbortSignal): Promise<PorchlightError | undefined> {
    const untold = await this.#gone.tell(signal)
    if (untold !== undefined) return untold
    const next = this.#next()
    if (next === undefined) {
      // The others are done: those that were refused have their turn again.
      this.#postponed.clear()
      return undefined
    }
    this.#underWay = next
    const error = await this.#try(next, signal)
    this.#underWay = undefined
    if (error === undefined || signal.aborted) return error
    const { camera, id } = next
    this.#options.log.info({ camera, delivery: id, code: error.code, detail: error.detail }, 'footage waits')
    // The gateway is there and does not want this now: others need not wait behind it.
    if (error.status < 500) this.#postponed.add(error.code === 'camera_not_found' ? camera : id)
    if (error.code === 'camera_not_found' && this.#next() !== undefined) return undefined
    if (this.#next() === undefined) this.#postponed.clear()
    return error
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
      if (!opened.whole) this.#damaged(next, ranges)
    } catch (thrown) {
      const error = asPorchlightError(thrown)
      if (signal.aborted) return error
      if (error.code === 'spool_unreadable') this.#damaged(next, [])
      else if (hopeless.has(error.code)) this.#giveUp(next, ranges, 'refused', error.code)
      else return error
    }
    await this.#forget(next)
    return undefined
  }

  /** What is too old goes, and what the spool has no room for. */
  async #expire(): Promise<void> {
    const { limits, spool, monotonic } = this.#options
    const oldest = monotonic() - limits.maxHours * 3_600_000
    for (const span of this.#memory.spans.filter(({ bornMs, leaving }) => bornMs < oldest && !leaving)) {
      this.#giveUp(span, span.ranges, 'too_old')
      this.#memory.remove(span)
    }
    const over = () => spool?.takeOverflow(this.#underWay)
    for (let most = over(); most !== undefined; most = over()) {
      this.#giveUp(most.file, await rangesIn(most.file), most.reason)
      await spool?.remove(most.file)
    }
  }

  /** A file of the spool that can be read in part only, or not at all: what is not in `ranges` is lost. */
  #damaged(waiting: Waiting, ranges: readonly FrameRange[]): void {
    if (!(waiting instanceof SpooledFile)) return
    const { camera, run, path, name } = waiting
    this.#options.log.error({ code: 'spool_unreadable', camera, path }, 'a file of the spool is damaged')
    const from = ranges.reduce((last, [, to]) => Math.max(last, to + 1), name.from)
    if (from <= name.to) this.#gone.add({ camera, run }, [[from, name.to]], 'not_kept')
  }

  #giveUp(waiting: Waiting, ranges: readonly FrameRange[], reason: GoneReason, code?: ErrorCode): void {
    const { camera, run, bytes } = waiting
    this.dropped += 1
    this.#options.log.warn({ camera, ranges: ranges.slice(0, 8), bytes, reason, code }, 'footage dropped')
    if (run === this.#options.bootId) for (const [from, to] of ranges) this.taken(camera).remove(from, to)
    this.#gone.add({ camera, run }, ranges, reason)
  }

  async #forget(waiting: Waiting): Promise<void> {
    if (waiting instanceof WaitingSpan) this.#memory.remove(waiting)
    if (waiting instanceof SpooledFile) await this.#options.spool?.remove(waiting)
  }
}

/** The frames in a file; where it cannot be read, those that its name speaks of. */
async function rangesIn(file: SpooledFile): Promise<readonly FrameRange[]> {
  try {
    await using opened = await file.open()
    return opened.ranges
  } catch (error) {
    if (asPorchlightError(error).code !== 'spool_unreadable') throw error
    return [[file.name.from, file.name.to]]
  }
}
