import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { event } from '@porchlight/proto/messages/event.ts'
import type { Logger } from 'pino'
import { z } from 'zod'
import { ageOf } from '../identity/age.ts'
import { readDataFile, writeDataFile } from '../identity/data-file.ts'
import type { KeptEvent } from './outbox.ts'

/** `since`: when it was put in, device clock, ms since the Unix epoch. */
const kept = z.array(z.object({ event, since: z.number().finite() }))

/** Keeps the outbox over a restart of the agent: a small file, written only when events have to wait. Never throws. */
export class OutboxFile {
  readonly #path: string
  readonly #now: () => number
  readonly #log: Logger
  /** Which events the file holds, and which it shall hold. */
  #written = ''
  #wanted = { ids: '', text: '[]' }
  #writing: Promise<void> | undefined
  #failing = false

  /** @param now device clock, ms since the Unix epoch */
  constructor(dataDir: string, now: () => number, log: Logger) {
    this.#path = join(dataDir, 'outbox.json')
    this.#now = now
    this.#log = log
  }

  /** What an earlier run of this device left. A damaged file is logged and given up. */
  load(device: string): KeptEvent[] {
    try {
      const text = readDataFile(this.#path)
      if (text === undefined) return []
      const now = this.#now()
      const events = kept.parse(JSON.parse(text)).map(({ event, since }) => ({ event, ageMs: ageOf(since, now) }))
      this.#written = idsOf(events)
      return events.filter((one) => one.event.from === device)
    } catch (cause) {
      this.#failed(cause)
      return []
    }
  }

  /** Keeps these, and only these. Several calls in a row cost one write. */
  save(events: readonly KeptEvent[]): void {
    const now = this.#now()
    const text = JSON.stringify(events.map(({ event, ageMs }) => ({ event, since: Math.round(now - ageMs) })))
    this.#wanted = { ids: idsOf(events), text }
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when what was saved is on the disk, or was given up. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    while (this.#wanted.ids !== this.#written) {
      const { ids, text } = this.#wanted
      try {
        await writeDataFile(this.#path, text)
        this.#written = ids
        this.#failing = false
      } catch (cause) {
        this.#failed(cause)
        return
      }
    }
  }

  #failed(cause: unknown): void {
    const error = new PorchlightError('outbox_failed', cause instanceof Error ? cause.message : undefined, { cause })
    if (!this.#failing) this.#log.error({ code: error.code, detail: error.detail }, error.message)
    this.#failing = true
  }
}

const idsOf = (events: readonly KeptEvent[]) => events.map(({ event }) => event.id).join(' ')
