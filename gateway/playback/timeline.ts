import type { EventKind } from '@porchlight/proto/messages/event.ts'
import { type Kysely, sql } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { type ClipRange, checkRange } from './clip-range.ts'
import { type GapReason, reasonsOf } from './gap-reasons.ts'
import { skippedPauseMs } from './movie-times.ts'
import { clipped, joined, minutesThat, type Spans, without } from './spans.ts'

/** A timeline is not longer, ms: a day, also when the clocks are set back, and its edges. */
const longestTimelineMs = 26 * 60 * 60_000
/** A part is not longer, ms. */
const longestPartMs = 30_000
/** Spans in the answer: with more of them the shortest pauses are closed. */
const maxSpans = 250
/** Gaps in the answer: the longest. */
const maxGaps = 100
/** More pauses than a timeline has place for. */
const maxPauses = 100_000
/** Events that are looked at. */
const maxEventsRead = 20_000
/** What was captured so lately may be on its way to the disk, ms. */
const settlingMs = 10_000
/** Events in the answer: the newest. */
const maxEvents = 500
/** An event that began so long before may still go on, ms. */
const longestEventMs = 24 * 60 * 60_000
/** Pre-roll is not longer, ms. */
const longestPrerollMs = 10 * 60_000

/** A time of a camera at a glance; ms since the Unix epoch. */
export interface Timeline {
  from: number
  to: number
  /** Shorter pauses are not shown, ms. */
  resolutionMs: number
  recorded: Spans
  /** What was to be recorded, and is not there. */
  gaps: [from: number, to: number, reason: GapReason][]
  /** Shorter gaps that are left out. */
  gapsLeftOut: number
  /** Events that touch the time, oldest first; their end is null while they go on. */
  events: [id: string, kind: EventKind, beginAt: number, endAt: number | null][]
  /** Older events of that time that are left out. */
  eventsLeftOut: number
}

export interface TimelineOptions {
  /** ms since the Unix epoch: what is to come is not missing. */
  now: number
  /** Whether all of the camera is to be recorded at a moment. */
  continuous(ms: number): boolean
}

/**
 * What is recorded of a camera, what is missing, and what happened.
 * @throws PorchlightError `range_invalid`, `range_too_long`, `index_failed`
 */
export async function timelineOf(db: Kysely<Schema>, range: ClipRange, options: TimelineOptions): Promise<Timeline> {
  checkRange(range, longestTimelineMs)
  const { fromMs, toMs } = range
  const { now, continuous } = options
  const [parts, rows] = await Promise.all([recordedSpans(db, range), eventsOf(db, range)])
  const byEvents = joined(rows.map((row): Spans[0] => [row.record_from, row.record_to ?? now]))
  const past = { fromMs, toMs: Math.min(toMs, now - settlingMs) }
  const brokenOff = pausesOfContinuous(parts.spans, past, byEvents, continuous)
  const wanted = clipped(joined([...byEvents, ...brokenOff]), past.fromMs, past.toMs)
  const missing = without(wanted, parts.spans).filter(([from, to]) => to - from > skippedPauseMs)
  const gaps = longest(missing, maxGaps)
  const reasons = await reasonsOf(db, range.camera, gaps)
  const { resolutionMs, spans } = coarsened(clipped(parts.spans, fromMs, toMs))
  const events = rows
    .filter((row) => row.begin_at < toMs && (row.end_at ?? now) >= fromMs)
    .map((row): Timeline['events'][0] => [row.id, row.kind, row.begin_at, row.end_at])
  const restarted = (from: number, to: number) => parts.restarts.some((at) => from <= at && at <= to)
  return {
    ...{ from: fromMs, to: toMs, resolutionMs },
    recorded: rounded(spans),
    gaps: rounded(gaps).map(([from, to], index) => [
      from,
      to,
      reasons[index] ?? (restarted(from, to + 1) ? 'restart' : 'missing'),
    ]),
    gapsLeftOut: missing.length - gaps.length,
    events: events.slice(-maxEvents),
    eventsLeftOut: Math.max(0, events.length - maxEvents),
  }
}

/**
 * The pauses of a recording that was to go on. Modes of the past are not kept, only today's are known: so the time before
 * the pause must have been recorded without an event that asked for it.
 */
function pausesOfContinuous(
  recorded: Spans,
  { fromMs, toMs }: Pick<ClipRange, 'fromMs' | 'toMs'>,
  byEvents: Spans,
  continuous: (ms: number) => boolean,
): Spans {
  const ofEvents = joined(byEvents.map(([from, to]): Spans[0] => [from, to + longestPartMs]))
  const others = without(
    recorded.map(([, endMs]): Spans[0] => [endMs, endMs + 1]),
    ofEvents,
  )
  const brokenOff = new Set(others.map(([at]) => at))
  const pauses = recorded.flatMap(([, endMs], index): Spans => {
    return brokenOff.has(endMs) ? [[endMs, recorded[index + 1]?.[0] ?? toMs]] : []
  })
  // modes change at whole minutes
  return joined(pauses.flatMap(([from, to]) => minutesThat(Math.max(from, fromMs), to, continuous)))
}

/** Unbroken times, from the one that ends last before the range on; and the beginnings of those of another run. */
async function recordedSpans(
  db: Kysely<Schema>,
  { camera, fromMs, toMs }: ClipRange,
): Promise<{ spans: Spans; restarts: number[] }> {
  const before = await db
    .selectFrom('parts')
    .select(({ fn }) => fn.max('start_ms').as('start_ms'))
    .where('camera', '=', camera)
    .where('start_ms', '>', fromMs - longestEventMs)
    .where('start_ms', '<=', fromMs - longestPartMs)
    .executeTakeFirstOrThrow()
  const sinceMs = before.start_ms ?? fromMs - longestPartMs
  // Only times at which nothing went on come out of the index: a day has tens of thousands of parts.
  const { rows } = await sql<{ start_ms: number; before_ms: number | null; restarted: number }>`
    select start_ms, before_ms, coalesce(
      (select replace(run, '.sub', '') from parts where camera = ${camera} and start_ms < ends.start_ms
        order by start_ms desc limit 1) <>
      (select replace(run, '.sub', '') from parts where camera = ${camera} and start_ms = ends.start_ms limit 1), 0)
      as restarted
    from (
      select start_ms, max(end_ms) over (order by start_ms rows between unbounded preceding and 1 preceding) as before_ms
      from parts where camera = ${camera} and start_ms >= ${sinceMs} and start_ms < ${toMs}
    ) as ends
    where before_ms is null or start_ms > before_ms + ${skippedPauseMs}
    order by start_ms limit ${maxPauses}`.execute(db)
  const { end_ms: endMs } = await db
    .selectFrom('parts')
    .select(({ fn }) => fn.max('end_ms').as('end_ms'))
    .where('camera', '=', camera)
    .where('start_ms', '>', (query) =>
      query
        .selectFrom('parts')
        .select(({ fn, eb }) => eb(fn.max('start_ms'), '-', longestPartMs).as('start_ms'))
        .where('camera', '=', camera)
        .where('start_ms', '<', toMs),
    )
    .where('start_ms', '<', toMs)
    .executeTakeFirstOrThrow()
  const spans = rows.map((row, index): Spans[0] => [row.start_ms, rows[index + 1]?.before_ms ?? endMs])
  return { spans, restarts: rows.filter((row) => row.restarted === 1).map((row) => row.start_ms) }
}

function eventsOf(db: Kysely<Schema>, { camera, fromMs, toMs }: ClipRange) {
  return db
    .selectFrom('events')
    .select(['id', 'kind', 'begin_at', 'end_at', 'record_from', 'record_to'])
    .where('camera', '=', camera)
    .where('begin_at', '>', fromMs - longestEventMs)
    .where('begin_at', '<', toMs + longestPrerollMs)
    .orderBy('begin_at')
    .limit(maxEventsRead)
    .execute()
}

/** As many spans as the answer holds: pauses below the resolution are closed. */
function coarsened(spans: Spans): { resolutionMs: number; spans: Spans } {
  for (let resolutionMs = skippedPauseMs; ; resolutionMs *= 2) {
    const coarse = joined(spans, resolutionMs)
    if (coarse.length <= maxSpans) return { resolutionMs, spans: coarse }
  }
}

function longest(spans: Spans, most: number): Spans {
  const chosen = spans.toSorted((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, most)
  return chosen.toSorted((a, b) => a[0] - b[0])
}

function rounded(spans: Spans): Spans {
  return spans.map(([from, to]) => [Math.round(from), Math.round(to)])
}
