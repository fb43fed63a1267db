import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../../store/schema.ts'
import type { Disk } from '../disk.ts'
import { type Decide, type Decision, grouped } from './decide.ts'
import { forgetEvents } from './forget-events.ts'
import type { Removal } from './plan.ts'
import { sumUpFiles } from './read-facts.ts'
import { takeOut, unlinkTakenOut } from './remove-files.ts'

/** Files that are taken out of the index at a time. */
const batchFiles = 32
/** Files that are looked for before anything is deleted: the newest, and as many of the oldest. */
const probeFiles = 8

export interface PruneOptions {
  db: Kysely<Schema>
  disk: Pick<Disk, 'remove' | 'space'>
  decide: Decide
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

export interface PruneResult extends Pick<Decision, 'groups' | 'events' | 'headroom' | 'room' | 'shortBytes' | 'more'> {
  /** Files that could not be deleted: told to the log, and tried again the next time. */
  failed: number
}

/**
 * One round of deleting; `groups` and `events` say what went, or would go. A file goes out of the index first, all of it but
 * its name; then it is deleted, then its name goes: a round that is cut off leaves nothing in the index that cannot be
 * played, and the next one goes on with it.
 * @throws PorchlightError `recordings_missing` where the directory does not hold what the index knows; `index_*`, `disk_*`
 *   where nothing can be done at all. A single file's error is logged instead.
 */
export async function prune(options: PruneOptions): Promise<PruneResult> {
  const { db, disk, decide, now, signal, dryRun = false, onProgress } = options
  const space = await disk.space(await somePaths(db))
  if (space.probed > 0 && space.found === 0) throw new PorchlightError('recordings_missing')
  const decision = await decide({ disk: space, now: now() }, signal)
  if (dryRun) return { ...decision, failed: 0 }
  // a file that cannot be deleted takes its bytes all the same, and its parts will not say so any more
  await sumUpFiles(db, signal)
  // what an earlier round could not delete
  let { failed } = await unlinkTakenOut(options)
  const gone: Removal[] = []
  const { removals } = decision
  for (let at = 0; at < removals.length && !signal?.aborted; at += batchFiles) {
    const batch = removals.slice(at, at + batchFiles)
    const files = batch.map(({ file }) => file)
    const unlinked = await unlinkTakenOut(options, await takeOut(options, files))
    failed += unlinked.failed
    gone.push(...batch.filter(({ file }) => unlinked.gone.has(file.id)))
    onProgress?.(Math.min(at + batchFiles, removals.length), removals.length)
  }
  const events = await forgetEvents(options, decision.expired)
  const deleted = new Set(gone)
  const headroom = without(
    decision.headroom,
    removals.filter((removal) => !deleted.has(removal)),
  )
  return { ...decision, groups: grouped(gone), events, failed, headroom }
}

/** What is left of the room to write where these files are still there. */
function without({ all, cameras }: Decision['headroom'], left: readonly Removal[]): Decision['headroom'] {
  const headroom = { all, cameras: new Map(cameras) }
  for (const { file } of left) {
    headroom.all -= file.bytes
    headroom.cameras.set(file.camera, (headroom.cameras.get(file.camera) ?? Number.POSITIVE_INFINITY) - file.bytes)
  }
  return headroom
}

/** Paths of the newest and the oldest closed files. */
async function somePaths(db: Kysely<Schema>): Promise<string[]> {
  const closed = db.selectFrom('files').select('path').where('closed', '=', 1).where('removing', '=', 0)
  const rows = [
    ...(await closed.orderBy('id', 'desc').limit(probeFiles).execute()),
    ...(await closed.orderBy('id').limit(probeFiles).execute()),
  ]
  return [...new Set(rows.map(({ path }) => path))]
}
