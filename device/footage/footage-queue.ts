import { asPorchlightError, type ErrorCode } from '@porchlight/proto/errors.ts'
import type { GoneReason } from '@porchlight/proto/frames.ts'
import type { Logger } from 'pino'
import type { Span } from '../preroll/ring.ts'
import { splitSpan } from './footage-body.ts'
import type { GoneFrames } from './gone-frames.ts'
import { MemoryQueue } from './memory-queue.ts'
import { type FrameRange, FrameRanges } from './ranges.ts'
import { Spiller } from './spiller.ts'
import type { Spool } from './spool.ts'
import { SpooledFile } from './spooled-file.ts'
import { type Waiting, WaitingSpan } from './waiting.ts'

/** One delivery is about this long, bytes (and at most 64 MB with the largest group of pictures). */
const deliveryBytes = 8 * 1024 * 1024

export interface QueueLimits {
  /** Bytes in memory. */
  queueBytes: number
  /** Age of what waits in memory, h; the spool has its own. */
  maxHours: number
  /** What waited so long goes to the spool, ms. */
  holdMs?: number
}

export interface FootageQueueOptions {
  /** Names the numbering of the frames. */
  bootId: string
  limits: QueueLimits
  /** Where what waits is kept; without it only memory bears it. */
  spool: Spool | undefined
  gone: GoneFrames
  /** Something may be ready to go. */
  ready(): void
  monotonic: () => number
  log: Logger
}

/**
 * Deliveries that wait: new ones in memory, those that have waited for a while in the spool. What the bounds of both drop
 * is counted, and called gone.
 */
export class FootageQueue {
  readonly #options: FootageQueueOptions
  readonly #taken = new Map<string, FrameRanges>()
  readonly #memory: MemoryQueue
  readonly #spiller: Spiller | undefined
  /** The delivery that is being sent: it stays where it is. */
  underWay: Waiting | undefined
  /** Deliveries given up. */
  dropped = 0

  constructor(options: FootageQueueOptions) {
    const { limits, monotonic, spool, log, ready } = options
    this.#options = options
    this.#memory = new MemoryQueue(limits.queueBytes)
    if (spool !== undefined) {
      this.#spiller = new Spiller({
        ...{ memory: this.#memory, spool, monotonic, log, batchBytes: deliveryBytes },
        ...(limits.holdMs !== undefined && { holdMs: limits.holdMs }),
        underWay: () => this.underWay,
        looked: () => this.expire().then(ready),
      })
    }
  }

  /** Bytes waiting in memory. */
  get memoryBytes(): number {
    return this.#memory.bytes
  }

  /** Whether anything waits that could be sent. */
  get waits(): boolean {
    return this.#memory.spans.some((span) => !span.leaving) || (this.#options.spool?.files.length ?? 0) > 0
  }

  /** Pictures of a camera that are delivered or wait for it, of this run. */
  taken(camera: string): FrameRanges {
    let ranges = this.#taken.get(camera)
    if (ranges === undefined) {
      ranges = new FrameRanges()
      this.#taken.set(camera, ranges)
    }
    return ranges
  }

  /** What of these frames neither is delivered nor waits. */
  async lacks(camera: string, run: string, [from, to]: FrameRange): Promise<FrameRange[]> {
    const { bootId, spool } = this.#options
    if (run === bootId) return this.taken(camera).missing(from, to)
    return FrameRanges.of((await spool?.framesOf(camera, run, [from, to])) ?? []).missing(from, to)
  }

  /** Takes a span; the frames are referred to, not copied. */
  add(camera: string, span: Span, doubtful: boolean): void {
    const { bootId, monotonic } = this.#options
    for (const piece of splitSpan(span, deliveryBytes)) {
      const waiting = new WaitingSpan({ camera, run: bootId, span: piece, bornMs: monotonic(), doubtful })
      for (const [from, to] of waiting.ranges) this.taken(camera).add(from, to)
      this.#memory.add(waiting)
    }
    this.look()
    for (let most = this.#memory.overflow(this.underWay); most; most = this.#memory.overflow(this.underWay)) {
      this.#dropSpan(most, 'queue_full')
    }
  }

  /** What is new first, then what has waited longest. @param free leaves others out */
  next(free: (waiting: Waiting) => boolean): Waiting | undefined {
    const fresh = this.#memory.spans.find((span) => !span.leaving && free(span))
    return fresh ?? this.#options.spool?.files.find(free)
  }

  /** Brings to the disk what has waited long enough. */
  look(): void {
    this.#spiller?.look()
  }

  /** The gateway has it. */
  async done(waiting: Waiting): Promise<void> {
    if (waiting instanceof WaitingSpan) this.#memory.remove(waiting)
    if (waiting instanceof SpooledFile) await this.#options.spool?.remove(waiting)
  }

  /** The gateway does not want it, now or ever. */
  async refused(waiting: Waiting, ranges: readonly FrameRange[], code: ErrorCode): Promise<void> {
    this.#giveUp(waiting, ranges, 'refused', code)
    await this.done(waiting)
  }

  /** Only `ranges` could be read of it: the rest is lost. */
  damaged(waiting: Waiting, ranges: readonly FrameRange[]): void {
    if (!(waiting instanceof SpooledFile)) return
    const { camera, run, path, name } = waiting
    this.#options.log.error({ code: 'spool_unreadable', camera, path }, 'a file of the spool is damaged')
    const from = ranges.reduce((last, [, to]) => Math.max(last, to + 1), name.from)
    if (from <= name.to) this.#options.gone.add({ camera, run }, [[from, name.to]], 'not_kept')
  }

  /** What is too old goes, and what the spool has no room for. */
  async expire(): Promise<void> {
    const { limits, spool, monotonic } = this.#options
    const oldest = monotonic() - limits.maxHours * 3_600_000
    const old = this.#memory.spans.filter((span) => span.bornMs < oldest && !span.leaving && span !== this.underWay)
    for (const span of old) this.#dropSpan(span, 'too_old')
    const over = () => spool?.takeOverflow(this.underWay)
    for (let most = over(); most !== undefined; most = over()) {
      this.#giveUp(most.file, await rangesIn(most.file), most.reason)
      await spool?.remove(most.file)
    }
  }

  /** Brings what waits to the disk; what it does not take is given up. */
  async close(): Promise<void> {
    await this.#spiller?.close()
    for (const span of [...this.#memory.spans]) this.#dropSpan(span, 'not_kept')
  }

  #dropSpan(span: WaitingSpan, reason: GoneReason): void {
    this.#giveUp(span, span.ranges, reason)
    this.#memory.remove(span)
  }

  #giveUp(waiting: Waiting, ranges: readonly FrameRange[], reason: GoneReason, code?: ErrorCode): void {
    const { bootId, gone, log } = this.#options
    const { camera, run, bytes } = waiting
    this.dropped += 1
    log.warn({ camera, ranges: ranges.slice(0, 8), bytes, reason, code }, 'footage dropped')
    if (run === bootId) for (const [from, to] of ranges) this.taken(camera).remove(from, to)
    gone.add({ camera, run }, ranges, reason)
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
