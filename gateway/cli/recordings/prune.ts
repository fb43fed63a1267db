import { PorchlightError } from '@porchlight/proto/errors.ts'
import { recordingsDirectory } from '../../config/derived.ts'
import { Disk } from '../../recorder/disk.ts'
import { decideHere, type RemovalGroup } from '../../recorder/retention/decide.ts'
import { retentionLimits } from '../../recorder/retention/limits.ts'
import type { RemovalReason } from '../../recorder/retention/plan.ts'
import { type PruneResult, prune as pruneOnce } from '../../recorder/retention/prune.ts'
import { roomCode, worse } from '../../recorder/retention/room.ts'
import type { Command } from '../commands.ts'
import { ProgressBar } from '../progress.ts'

const reasons: Readonly<Record<RemovalReason, string>> = {
  age: 'older than it is kept',
  class: 'more than is kept of its kind',
  camera: 'more than is kept of its camera',
  all: 'more than is kept in all',
  reserve: 'for the free space of the disk',
}

/** The rounds of deleting that the gateway makes by itself, at once and to their end. */
export const prune: Command = {
  usage: 'prune [--dry-run]',
  summary: 'deletes what is recorded beyond the limits of the settings (`recordings.retention`), or says what would go',
  async run({ config, words, switches, db, terminal, out, log, now }) {
    if (words.length > 0) throw new PorchlightError('request_invalid', `${words.join(' ')}: prune takes no words`)
    const dryRun = switches.has('dry-run')
    const limits = retentionLimits(config.recordings.retention)
    // The gateway may hold the directory: nothing is written, and a round looks for itself whether it is the right one.
    await using disk = new Disk({ directory: recordingsDirectory(config) }, async () => undefined)
    using bar = new ProgressBar(terminal, 'Deleting')
    const rounds: PruneResult[] = []
    for (let more = true; more; ) {
      const onProgress = (files: number, of: number) => bar.at(files, of)
      const result = await pruneOnce({ db, disk, decide: decideHere(db, limits), now, log, dryRun, onProgress })
      rounds.push(result)
      // a round that brings nothing brings nothing the next time either
      more = result.more && !dryRun && result.groups.length + result.events > 0
    }
    bar.clear()
    for (const line of report(rounds, dryRun)) out(line)
    const { room, failed } = rounds.at(-1)!
    const code = roomCode([...room.cameras.values()].reduce(worse, room.all))
    if (code !== undefined) throw new PorchlightError(code)
    if (failed > 0) throw new PorchlightError('disk_failed', `${failed} files could not be deleted, see the log`)
  },
}

function report(rounds: readonly PruneResult[], dryRun: boolean): string[] {
  const groups = rounds.flatMap((round) => round.groups)
  const events = rounds.reduce((sum, round) => sum + round.events, 0)
  const lines = [...Map.groupBy(groups, (group) => `${group.class} ${group.reason}`).values()].map((alike) => {
    const { class: footageClass, reason } = alike[0]!
    return `${footageClass.padEnd(10)} ${amount(alike)}, ${reasons[reason]}`
  })
  if (events > 0) lines.push(`events     ${events}, of which nothing is left`)
  const all = groups.length === 0 && events === 0 ? 'nothing' : amount(groups)
  return [...lines, dryRun ? `${all} would be deleted` : `${all} deleted`]
}

function amount(groups: readonly RemovalGroup[]): string {
  const files = groups.reduce((sum, group) => sum + group.files, 0)
  const bytes = groups.reduce((sum, group) => sum + group.bytes, 0)
  return `${files} ${files === 1 ? 'file' : 'files'} (${(bytes / 1e6).toFixed(1)} MB)`
}
