import { goneReasons } from '@porchlight/proto/frames.ts'
import { type Kysely, sql } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Spans } from './spans.ts'

/**
 * Why something is not there that should be. missing: its pictures did not come (yet); restart: the device began anew
 * meanwhile; unanswered: the device was asked, and said nothing; not_written: they came when they could not be written, and
 * the device has them no more. The others are the device's own (proto/frames.ts).
 */
export const gapReasons = ['missing', 'restart', ...goneReasons.options, 'unanswered', 'not_written'] as const
export type GapReason = (typeof gapReasons)[number]

interface PartBeside {
  run: string
  first_frame: number
  last_frame: number
  start_ms: number
  end_ms: number
}

interface FrameGap {
  run: string
  from_frame: number
  to_frame: number
  reason: string
}

/**
 * What is known of the reasons of gaps, in their order; undefined where nothing is.
 * @param gaps times of the camera in which nothing is recorded
 * @throws PorchlightError `index_failed`
 */
export async function reasonsOf(
  db: Kysely<Schema>,
  camera: string,
  gaps: Readonly<Spans>,
): Promise<(GapReason | undefined)[]> {
  const known = await db
    .selectFrom('gaps')
    .select(['run', 'from_frame', 'to_frame', 'reason'])
    .where('camera', '=', camera)
    .execute()
  if (known.length === 0 || gaps.length === 0) return gaps.map(() => undefined)
  const beside = await partsBeside(db, camera, gaps)
  return gaps.map((gap, index) => {
    const { before, after } = beside[index]!
    let reason: string | undefined
    let longest = 0
    for (const frames of known) {
      const times = timesOf(frames, before, after)
      const overlap = times ? Math.min(times[1], gap[1]) - Math.max(times[0], gap[0]) : 0
      if (overlap <= longest) continue
      longest = overlap
      reason = frames.reason
    }
    if (reason === undefined) return undefined
    return gapReasons.find((one) => one === reason) ?? 'not_written'
  })
}

/** The parts before and after each gap. */
async function partsBeside(db: Kysely<Schema>, camera: string, gaps: Readonly<Spans>) {
  const middles = sql.join(gaps.map(([from, to], index) => sql`(${index}, ${(from + to) / 2})`))
  const beside = (which: 'before' | 'after') => {
    const id =
      which === 'before'
        ? sql`select id from parts where camera = ${camera} and start_ms < middle order by start_ms desc limit 1`
        : sql`select id from parts where camera = ${camera} and start_ms >= middle order by start_ms limit 1`
    return sql<PartBeside & { number: number }>`
      with gaps_asked(number, middle) as (values ${middles})
      select number, run, first_frame, last_frame, start_ms, end_ms
      from gaps_asked join parts on parts.id = (${id})`.execute(db)
  }
  const [before, after] = await Promise.all([beside('before'), beside('after')])
  return gaps.map((_, index) => ({
    before: before.rows.find(({ number }) => number === index),
    after: after.rows.find(({ number }) => number === index),
  }))
}

/** When frames that are not there were captured, as the parts beside them tell; undefined where they lie elsewhere. */
function timesOf(
  { run, from_frame: from, to_frame: to }: FrameGap,
  before: PartBeside | undefined,
  after: PartBeside | undefined,
): Spans[0] | undefined {
  if (before?.run === run && from > before.last_frame) {
    const between = after?.run === run ? after : undefined
    if (between && to >= between.first_frame) return undefined
    const step = between
      ? (between.start_ms - before.end_ms) / (between.first_frame - before.last_frame - 1)
      : frameMs(before)
    const at = (frame: number) => before.end_ms + (frame - before.last_frame - 1) * step
    return [at(from), at(to + 1)]
  }
  if (after?.run !== run || to >= after.first_frame) return undefined
  const at = (frame: number) => after.start_ms + (frame - after.first_frame) * frameMs(after)
  return [at(from), at(to + 1)]
}

function frameMs({ first_frame, last_frame, start_ms, end_ms }: PartBeside): number {
  return (end_ms - start_ms) / (last_frame - first_frame + 1)
}
