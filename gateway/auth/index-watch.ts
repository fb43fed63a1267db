import type { Logger } from 'pino'

export interface IndexWatchOptions {
  look: () => Promise<void>
  log: Logger
  intervalMs?: number
}

/** Looks into the index again and again for what the command line did beside the running gateway; one look at a time. */
export class IndexWatch implements AsyncDisposable {
  readonly #look: () => Promise<void>
  readonly #timer: NodeJS.Timeout
  #looking: Promise<void> | undefined

  constructor({ look, log, intervalMs = 3_000 }: IndexWatchOptions) {
    this.#look = look
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) => log.error({ err: error }, 'the index could not be looked through'))
    }, intervalMs)
  }

  /** Looks now, or waits for the look that goes on. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Looks at what is there by now: a look that goes on may have read before that. */
  async lookAnew(): Promise<void> {
    await Promise.allSettled([this.#looking])
    await this.look()
  }

  /** Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.allSettled([this.#looking])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
