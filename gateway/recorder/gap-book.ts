import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { type GapReason, type GapSpan, withGap, withoutFrames } from './gap-spans.ts'
import { Spans } from './spans.ts'

/** Gaps of one camera that are remembered: the newest. */
const maxGaps = 2_048
/** Runs whose gaps are at hand. */
const maxRuns = 64

export interface GapBookOptions {
  db: Kysely<Schema>
  camera: string
  /** ms since the Unix epoch */
  now: () => number
}

/** Which frames of a camera were to be recorded and will never come, and why. One change after the other. */
export class GapBook {
  readonly #options: GapBookOptions
  /** Frames in gaps, by run: most parts fill none, and that is known without a query. */
  readonly #runs = new Map<string, Spans>()
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: GapBookOptions) {
    this.#options = options
  }

  /** Frames `from`…`to` of `run` will never come. @returns how many of them were in no gap @throws PorchlightError `index_failed` */
  add(run: string, from: number, to: number, reason: GapReason): Promise<number> {
    const gap = { from, to, reason, at: this.#options.now() }
    return this.#inOrder(async () => {
      const frames = await this.#change(run, from, to, (gaps) => withGap(gaps, gap))
      this.#runs.get(run)?.add(from, to)
      return frames
    })
  }

  /** Frames came after all. @returns how many of them were in a gap @throws PorchlightError `index_failed` */
  fill(run: string, from: number, to: number): Promise<number> {
    return this.#inOrder(async () => {
      const spans = await this.#spansOf(run)
      if (!spans.meets(from, to)) return 0
      const frames = await this.#change(run, from, to, (gaps) => withoutFrames(gaps, from, to))
      spans.remove(from, to)
      return frames
    })
  }

  /** Gaps about which the device was asked in vain, the newest first. @throws PorchlightError `index_failed` */
  async unanswered(most: number): Promise<{ run: string; from: number; to: number }[]> {
    const rows = await this.#options.db
      .selectFrom('gaps')
      .select(['run', 'from_frame as from', 'to_frame as to'])
      .where('camera', '=', this.#options.camera)
      .where('reason', '=', 'unanswered')
      .orderBy('id', 'desc')
      .limit(most)
      .execute()
    return rows
  }

  /** Resolves when every change so far is stored, or has failed. */
  async settled(): Promise<void> {
    await this.#tail
  }

  #inOrder<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(step)
    this.#tail = done.catch(() => undefined) // told to who asked
    return done
  }

  /** @returns the frames that `edit` counted */
  #change(
    run: string,
    from: number,
    to: number,
    edit: (gaps: readonly GapSpan[]) => { gaps: GapSpan[]; frames: number },
  ): Promise<number> {
    const { db, camera } = this.#options
    return db.transaction().execute(async (transaction) => {
      // neighbours too, which may become one with it
      const rows = await transaction
        .selectFrom('gaps')
        .select(['id', 'from_frame as from', 'to_frame as to', 'reason', 'at'])
        .where('camera', '=', camera)
        .where('run', '=', run)
        .where('from_frame', '<=', to + 1)
        .where('to_frame', '>=', from - 1)
        .orderBy('from_frame')
        .execute()
      const { gaps, frames } = edit(rows)
      const ids = rows.map(({ id }) => id)
      if (ids.length > 0) await transaction.deleteFrom('gaps').where('id', 'in', ids).execute()
      const values = gaps.map((gap) => ({
        ...{ camera, run, reason: gap.reason, at: gap.at },
        ...{ from_frame: gap.from, to_frame: gap.to },
      }))
      if (values.length > 0) await transaction.insertInto('gaps').values(values).execute()
      if (values.length > ids.length) await this.#forgetOldest(transaction)
      return frames
    })
  }

  async #forgetOldest(db: Kysely<Schema>): Promise<void> {
    const { camera } = this.#options
    await db
      .deleteFrom('gaps')
      .where('camera', '=', camera)
      .where('id', '<=', (query) =>
        query
          .selectFrom('gaps')
          .select('id')
          .where('camera', '=', camera)
          .orderBy('id', 'desc')
          .offset(maxGaps)
          .limit(1),
      )
      .execute()
  }

  async #spansOf(run: string): Promise<Spans> {
    const known = this.#runs.get(run)
    if (known) return known
    const spans = new Spans(1)
    const rows = await this.#options.db
      .selectFrom('gaps')
      .select(['from_frame', 'to_frame'])
      .where('camera', '=', this.#options.camera)
      .where('run', '=', run)
      .execute()
    for (const row of rows) spans.add(row.from_frame, row.to_frame)
    this.#runs.set(run, spans)
    const [oldest] = this.#runs.keys()
    if (oldest !== undefined && this.#runs.size > maxRuns) this.#runs.delete(oldest)
    return spans
  }
}
