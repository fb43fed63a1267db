import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../../store/schema.ts'
import type { Disk } from '../disk.ts'
import type { FileFacts } from './facts.ts'
import { forgetEvents } from './forget-events.ts'
import type { FootageClass, RetentionLimits } from './limits.ts'
import { planRetention, type Removal, type RemovalReason, type RetentionPlan } from './plan.ts'
import { readEvents, readFiles, sumUpFiles } from './read-facts.ts'
import { takeOut, unlinkTakenOut } from './remove-files.ts'

/** Files that one round deletes at most; what is left is for the next. */
export const mostFiles = 5_000
/** Files that are taken out of the index at a time. */
const batchFiles = 32
/** Files that are looked for before anything is deleted. */
const probeFiles = 16

export interface PruneOptions {
  db: Kysely<Schema>
  disk: Pick<Disk, 'remove' | 'space'>
  limits: RetentionLimits
  /** ms since the Unix epoch */
  now: () => number
  log: Pick<Logger, 'warn' | 'error'>
  /** Ends the round after what is under way. */
  signal?: AbortSignal
  /** Only says what would go. */
  dryRun?: boolean
  /** @param of files that go in this round */
  onProgress?(files: number, of: number): void
}

export interface PruneGroup {
  class: FootageClass
  reason: RemovalReason
  files: number
  bytes: number
}

export interface PruneResult extends Pick<RetentionPlan, 'headroom' | 'room' | 'shortBytes'> {
  /** What went, or would go. */
  groups: PruneGroup[]
  /** Events that were forgotten because nothing is left of them, or would be. */
  events: number
  /** Files that could not be deleted: told to the log, and tried again the next time. */
  failed: number
  /** There is more to delete than one round does. */
  more: boolean
}

/**
 * One round of deleting. A file goes out of the index first, all of it but its name; then it is deleted, then its name goes:
 * a round that is cut off leaves nothing in the index that cannot be played, and the next one goes on with it.
 * @throws PorchlightError `recordings_missing` where the directory does not hold what the index knows; `index_failed`,
 *   `disk_*` where nothing can be done at all. A single file's error is logged instead.
 */
export async function prune(options: PruneOptions): Promise<PruneResult> {
  const { db, disk, limits, now, signal, dryRun = false, onProgress } = options
  await sumUpFiles(db, signal)
  const files = await readFiles(db)
  const events = await readEvents(db)
  const space = await disk.space(await somePaths(db, files))
  if (space.probed > 0 && space.found === 0) throw new PorchlightError('recordings_missing')
  const plan = planRetention({ files, events, disk: space, now: now() }, limits)
  const { headroom, room, shortBytes } = plan
  const removals = plan.removals.slice(0, mostFiles)
  const groups = new Groups()
  let failed = 0
  if (dryRun) for (const removal of plan.removals) groups.add(removal)
  else {
    // what an earlier round could not delete
    failed = (await unlinkTakenOut(options)).failed
    for (let at = 0; at < removals.length && !signal?.aborted; at += batchFiles) {
      const batch = removals.slice(at, at + batchFiles)
      const ids = batch.map(({ file }) => file.id)
      const taken = await takeOut(options, ids, space.freeBytes)
      const unlinked = await unlinkTakenOut(options, taken)
      failed += unlinked.failed
      for (const removal of batch) if (unlinked.gone.has(removal.file.id)) groups.add(removal)
      onProgress?.(Math.min(at + batchFiles, removals.length), removals.length)
    }
  }
  const forgotten = dryRun ? plan.expired.length : await forgetEvents(options, plan.expired)
  const more = removals.length < plan.removals.length
  return { groups: groups.list(), events: forgotten, failed, more, headroom, room, shortBytes }
}

/** Counts what went, by class and reason. */
class Groups {
  readonly #groups = new Map<string, PruneGroup>()

  add({ class: footageClass, reason, file }: Removal): void {
    const key = `${footageClass} ${reason}`
    const group = this.#groups.get(key) ?? { class: footageClass, reason, files: 0, bytes: 0 }
    group.files += 1
    group.bytes += file.bytes
    this.#groups.set(key, group)
  }

  list(): PruneGroup[] {
    return [...this.#groups.values()]
  }
}

/** Paths of some closed files of all times. */
async function somePaths(db: Kysely<Schema>, files: readonly FileFacts[]): Promise<string[]> {
  const closed = files.filter(({ removable }) => removable)
  const step = Math.max(1, Math.floor(closed.length / probeFiles))
  const some = closed.filter((_, index) => (closed.length - 1 - index) % step === 0).slice(-probeFiles)
  if (some.length === 0) return []
  const ids = some.map(({ id }) => id)
  return (await db.selectFrom('files').select('path').where('id', 'in', ids).execute()).map(({ path }) => path)
}
