import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { recordedParts } from '../playback/recorded-parts.ts'
import type { Schema } from '../store/schema.ts'

/** When an event's pre-roll is looked at, ms after the event was told of and after the look before. */
export const looksMs = [20_000, 100_000, 480_000, 3_000_000] as const
/** Pre-roll that is so much shorter is as long as it was asked for, ms: a picture or two. */
const toleranceMs = 250
/** What is recorded so soon after an event's beginning shows that something has come of it, ms. */
const beginningMs = 10_000
/** Events that are waited for at a time. */
const maxWaiting = 256

export interface PrerollCheckOptions {
  db: Kysely<Schema>
  camera: string
  log: Pick<Logger, 'warn' | 'error'>
  /** The device is still being asked for frames, or not connected. */
  pending(): boolean
  /** An event lacks pre-roll for good. */
  onMissing(): void
  /** Calls back once after so many ms. @returns takes it back */
  schedule(callback: () => void, ms: number): () => void
}

/**
 * Looks whether each event has the pre-roll that was asked for. What it lacks may still come while the device is asked for
 * it; an event of which nothing has come at all is given an hour.
 */
export class PrerollCheck {
  readonly #options: PrerollCheckOptions
  readonly #waiting = new Map<string, () => void>()

  constructor(options: PrerollCheckOptions) {
    this.#options = options
  }

  eventBegan(id: string): void {
    if (!this.#waiting.has(id) && this.#waiting.size < maxWaiting) this.#wait(id, 0)
  }

  /** Idempotent. */
  close(): void {
    for (const stop of this.#waiting.values()) stop()
    this.#waiting.clear()
  }

  #wait(id: string, look: number): void {
    const { schedule, log, camera } = this.#options
    const stop = schedule(() => {
      this.#look(id, look).catch((error: unknown) => {
        this.#waiting.delete(id)
        log.error({ camera, event: id, err: error }, 'the pre-roll of an event could not be looked at')
      })
    }, looksMs[look]!)
    this.#waiting.set(id, stop)
  }

  async #look(id: string, look: number): Promise<void> {
    const { camera, log, pending, onMissing } = this.#options
    const preroll = await this.#prerollOf(id)
    if (!this.#waiting.has(id)) return
    const last = look + 1 >= looksMs.length
    const open = preroll === 'missing' ? look === 0 || pending() : preroll === 'nothing'
    if (open && !last) return this.#wait(id, look + 1)
    this.#waiting.delete(id)
    if (preroll !== 'missing' && preroll !== 'nothing') return
    log.warn({ camera, event: id }, 'an event has less pre-roll than it should have')
    onMissing()
  }

  async #prerollOf(id: string): Promise<'there' | 'missing' | 'nothing' | 'forgotten'> {
    const { db, camera } = this.#options
    const event = await db
      .selectFrom('events')
      .select(['record_from', 'begin_at'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (event === undefined) return 'forgotten'
    const { record_from: fromMs, begin_at: beginMs } = event
    const { parts, gaps } = await recordedParts(db, { camera, fromMs, toMs: beginMs + beginningMs })
    const [first, last] = [parts[0], parts.at(-1)]
    if (first === undefined || last === undefined) return 'nothing'
    const reaches = first.start_ms <= fromMs + toleranceMs && last.end_ms >= beginMs - toleranceMs
    return reaches && gaps.every(([from]) => from >= beginMs) ? 'there' : 'missing'
  }
}
