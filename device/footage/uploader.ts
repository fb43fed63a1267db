import { randomUUID } from 'node:crypto'
import { asPorchlightError, type ErrorCode, type PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import { Backoff } from '../link/backoff.ts'
import { wait } from '../link/wait.ts'
import type { Span } from '../preroll/ring.ts'
import { askFootage, type DeliveryTarget, putFootage } from './delivery.ts'
import { FootageBody, spanBytes, splitSpan } from './footage-body.ts'
import { type FrameRange, FrameRanges, rangesOf } from './ranges.ts'
import { TokenBucket } from './token-bucket.ts'

/** One PUT carries at most this, bytes: what a lost connection costs. */
const chunkBytes = 512 * 1024
/** One delivery is about this long, bytes (and at most 64 MB with the largest group of pictures). */
const deliveryBytes = 8 * 1024 * 1024

/** Refusals that the same bytes will meet again. */
const hopeless: ReadonlySet<ErrorCode> = new Set([
  'footage_invalid',
  'message_too_large',
  'request_invalid',
  'forbidden',
])

interface Delivery {
  id: string
  camera: string
  span: Span
  bytes: number
  since: number
  ranges: FrameRange[]
}

export interface UploaderOptions {
  /** Names the numbering of the frames. */
  bootId: string
  limits: { maxKbps: number; queueBytes: number; maxHours: number }
  target: Omit<DeliveryTarget, 'camera' | 'id'>
  /** What live sessions leave of the uplink, bit/s; undefined: plenty. */
  spare?: () => number | undefined
  now: () => number
  random: () => number
  log: Logger
}

/**
 * Delivers footage to the gateway beside the live picture: one delivery at a time, slower than the live stream, resumed
 * where it broke off, in a queue bounded in bytes and age (the oldest is dropped and counted). The same frames never go twice.
 */
export class FootageUploader implements AsyncDisposable {
  readonly #options: UploaderOptions
  readonly #bucket: TokenBucket
  readonly #taken = new Map<string, FrameRanges>()
  readonly #abort = new AbortController()
  /** Ids of deliveries that have been tried: the gateway may have part of them. */
  readonly #tried = new Set<string>()
  #queue: Delivery[] = []
  #running: Promise<void> | undefined
  #nudge = new AbortController()
  /** Bytes waiting. */
  queuedBytes = 0
  delivered = 0
  deliveredBytes = 0
  dropped = 0

  constructor(options: UploaderOptions) {
    this.#options = options
    this.#bucket = new TokenBucket(options.limits.maxKbps, options.now, wait, options.spare)
  }

  /** Pictures of a camera that are delivered or in the queue. */
  taken(camera: string): FrameRanges {
    let ranges = this.#taken.get(camera)
    if (ranges === undefined) {
      ranges = new FrameRanges()
      this.#taken.set(camera, ranges)
    }
    return ranges
  }

  /** Puts a span into the queue; the frames are referred to, not copied. */
  enqueue(camera: string, span: Span): void {
    if (this.#abort.signal.aborted) return
    for (const piece of splitSpan(span, deliveryBytes)) {
      const ranges = rangesOf(piece.units)
      const bytes = spanBytes(piece)
      for (const [from, to] of ranges) this.taken(camera).add(from, to)
      this.#queue.push({ id: randomUUID(), camera, span: piece, bytes, since: this.#options.now(), ranges })
      this.queuedBytes += bytes
    }
    while (this.queuedBytes > this.#options.limits.queueBytes && this.#queue.length > 1) {
      // The first one may be under way: the one behind it goes.
      this.#drop(this.#queue[1]!, 'queue full')
    }
    this.#start()
  }

  /** The gateway is there again: no need to wait any longer. */
  wake(): void {
    this.#nudge.abort()
  }

  /** Gives up what waits. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort()
    this.#nudge.abort()
    await this.#running
    this.#queue = []
    this.queuedBytes = 0
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #start(): void {
    if (this.#queue.length === 0 || this.#abort.signal.aborted) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // What was put in while the last run ended.
      this.#start()
    })
  }

  async #run(): Promise<void> {
    const { limits, now, random, log } = this.#options
    const backoff = new Backoff(60_000, random)
    const { signal } = this.#abort
    for (let next = this.#queue[0]; next !== undefined && !signal.aborted; next = this.#queue[0]) {
      if (now() - next.since > limits.maxHours * 3_600_000) {
        this.#drop(next, 'too old')
        continue
      }
      const error = await this.#deliver(next, signal)
      if (signal.aborted) return
      if (error === undefined) {
        backoff.reset()
        this.#forget(next)
        this.delivered += 1
        this.deliveredBytes += next.bytes
        log.debug({ camera: next.camera, ranges: next.ranges.slice(0, 8), bytes: next.bytes }, 'footage delivered')
        continue
      }
      if (hopeless.has(error.code)) {
        this.#drop(next, error.code)
        continue
      }
      log.info({ camera: next.camera, code: error.code, detail: error.detail }, 'footage waits')
      if (error.status < 500 && this.#queue.length > 1) {
        // The gateway is there and does not want this one now: others need not wait behind it.
        this.#queue.push(this.#queue.shift()!)
      }
      this.#nudge = new AbortController()
      await wait(backoff.next(), AbortSignal.any([signal, this.#nudge.signal]))
    }
  }

  /** One try; undefined when all of it is there. */
  async #deliver(delivery: Delivery, signal: AbortSignal): Promise<PorchlightError | undefined> {
    const target: DeliveryTarget = { ...this.#options.target, camera: delivery.camera, id: delivery.id }
    const body = new FootageBody(this.#options.bootId, delivery.span)
    try {
      let offset = await this.#begunAt(target, signal)
      for (let moved = true; moved; ) {
        const piece = body.read(offset, chunkBytes)
        if (piece === undefined) return undefined
        const state = await putFootage(target, { offset, ...piece }, this.#bucket, signal)
        if (state.complete) return undefined
        moved = state.offset !== offset
        offset = state.offset
      }
      return asPorchlightError(new Error('the gateway takes nothing of it'), 'session_timeout')
    } catch (error) {
      return asPorchlightError(error)
    }
  }

  /** Where an earlier try came to; 0 for a new delivery. */
  async #begunAt(target: DeliveryTarget, signal: AbortSignal): Promise<number> {
    if (!this.#tried.has(target.id)) {
      this.#tried.add(target.id)
      return 0
    }
    try {
      return (await askFootage(target, this.#bucket, signal)).offset
    } catch (error) {
      const known = asPorchlightError(error)
      if (known.status === 404) return 0
      throw known
    }
  }

  #drop(delivery: Delivery, reason: string): void {
    this.#forget(delivery)
    for (const [from, to] of delivery.ranges) this.taken(delivery.camera).remove(from, to)
    this.dropped += 1
    this.#options.log.warn({ camera: delivery.camera, ranges: delivery.ranges.slice(0, 8), reason }, 'footage dropped')
  }

  #forget(delivery: Delivery): void {
    const index = this.#queue.indexOf(delivery)
    if (index < 0) return
    this.#queue.splice(index, 1)
    this.#tried.delete(delivery.id)
    this.queuedBytes -= delivery.bytes
  }
}
