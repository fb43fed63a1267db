import type { Logger } from 'pino'
import type { MemoryQueue } from './memory-queue.ts'
import type { Spool } from './spool.ts'
import type { Waiting, WaitingSpan } from './waiting.ts'

/** A gateway that takes what comes within this time costs no write to the disk, ms. */
const defaultHoldMs = 20_000
/** After a write that failed the next one is tried so much later, ms. */
const restMs = 60_000

export interface SpillerOptions {
  memory: MemoryQueue
  spool: Spool
  /** What waited so long goes to the disk, ms. */
  holdMs?: number
  /** Bytes in one file, about. */
  batchBytes: number
  monotonic: () => number
  /** The delivery that is being sent: it stays where it is. */
  underWay(): Waiting | undefined
  /** Something is new in the spool, or stays in memory after all. */
  looked(): Promise<void>
  log: Logger
}

/**
 * Brings deliveries from memory to the spool: those that have waited for a while (so many go into one file, which is kind
 * to SD cards), and before the memory is full.
 */
export class Spiller {
  readonly #options: SpillerOptions
  readonly #holdMs: number
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #restUntil = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: SpillerOptions) {
    this.#options = options
    this.#holdMs = options.holdMs ?? defaultHoldMs
  }

  /** Something was put into memory, or a delivery was not taken. */
  look(): void {
    if (this.#closed || this.#running !== undefined || this.#options.monotonic() < this.#restUntil) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#batch(false).length === 0) {
      this.#later()
      return
    }
    this.#running = this.#spill(false).finally(() => {
      this.#running = undefined
      this.look()
    })
  }

  /** Everything goes to the disk, as far as the disk takes it. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
    await this.#spill(true)
  }

  #later(): void {
    const { memory, monotonic, underWay } = this.#options
    const oldest = memory.spans.find((span) => span !== underWay())
    if (oldest === undefined) return
    this.#timer = setTimeout(() => this.look(), Math.max(0, oldest.bornMs + this.#holdMs - monotonic()))
  }

  #batch(all: boolean): WaitingSpan[] {
    const { memory, monotonic, underWay, batchBytes } = this.#options
    const bornBefore = monotonic() - this.#holdMs
    const mayLeave = (span: WaitingSpan) => all || memory.crowded || span.bornMs <= bornBefore
    return memory.batch(mayLeave, underWay(), batchBytes)
  }

  async #spill(all: boolean): Promise<void> {
    const { memory, spool, monotonic, log } = this.#options
    for (let batch = this.#batch(all); batch.length > 0; batch = this.#batch(all)) {
      for (const span of batch) span.leaving = true
      try {
        const { bytes, path } = await spool.add(batch)
        for (const span of batch) memory.remove(span)
        log.debug({ path, bytes, deliveries: batch.length }, 'footage waits on the disk')
        await this.#options.looked()
      } catch (error) {
        // The spool has logged it.
        log.debug({ err: error }, 'footage stays in memory')
        for (const span of batch) span.leaving = false
        this.#restUntil = monotonic() + restMs
        await this.#options.looked()
        return
      }
    }
  }
}
