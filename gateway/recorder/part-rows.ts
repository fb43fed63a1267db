import type { Insertable, Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { maxRows } from './index-rows.ts'

type Row = Insertable<Schema['parts']>

interface Waiting {
  row: Row
  resolve(): void
  reject(error: unknown): void
}

/**
 * Puts parts that are on the disk into the index, those of all cameras: what comes while one transaction waits for its fsync
 * goes together in the next. A slow disk so makes the transactions larger, and not their queue longer.
 */
export class PartRows {
  readonly #db: Kysely<Schema>
  #waiting: Waiting[] = []
  #busy = false

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  /** Resolves when the row is durable. @throws PorchlightError `index_failed` */
  add(row: Row): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ row, resolve, reject })
    if (!this.#busy) this.#work()
    return promise
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) await this.#insert(this.#waiting.splice(0, maxRows))
    this.#busy = false
  }

  async #insert(group: readonly Waiting[]): Promise<void> {
    try {
      await this.#db
        .insertInto('parts')
        .values(group.map(({ row }) => row))
        .execute()
      for (const { resolve } of group) resolve()
    } catch (error) {
      // a row that the index refuses takes no other with it
      if (group.length === 1) group[0]!.reject(error)
      else for (const one of group) await this.#insert([one])
    }
  }
}
