import type { Kysely } from 'kysely'
import { longestGopMs } from '../playback/recorded-parts.ts'
import { clipped, joined, minutesThat, type Spans as Times } from '../playback/spans.ts'
import type { Schema } from '../store/schema.ts'

/** Holes that are looked at: the newest. */
const maxHoles = 16
/** Events that are looked at: the newest. */
const maxEvents = 1_000
/** Nothing is asked for further before the picture that ends a hole, ms. */
const longestMs = 24 * 60 * 60_000

export interface WantedHolesOptions {
  db: Kysely<Schema>
  camera: string
  /** Whether all of the camera is to be recorded at a moment. */
  continuous(ms: number): boolean
}

interface Hole {
  from: number
  to: number
  /** Capture times of its beginning and end. */
  fromMs: number
  toMs: number
  msPerFrame: number
  /** Something of the run is recorded before it. */
  between: boolean
}

/**
 * Frames that are missing between those recorded of a run, or before them, of times that are to be recorded: of events, and
 * of a recording that was to go on. Nobody needs to have seen them go missing.
 * @param recorded frames of the run that are on the disk, in order
 * @throws PorchlightError `index_failed`
 */
export async function wantedHoles(
  options: WantedHolesOptions,
  run: string,
  recorded: readonly (readonly [number, number])[],
): Promise<[from: number, to: number][]> {
  const newest = recorded.slice(-maxHoles)
  const before = recorded.at(-maxHoles - 1)?.[1] ?? -1
  const between = newest.map(([first], index): [number, number] => [(newest[index - 1]?.[1] ?? before) + 1, first - 1])
  const placed = await Promise.all(between.filter(([from, to]) => from <= to).map((hole) => place(options, run, hole)))
  const holes = placed.filter((hole) => hole !== undefined)
  if (holes.length === 0) return []
  const events = await eventsAround(options, holes)
  return holes.flatMap((hole) => wantedOf(hole, events, options))
}

/** When the frames of a hole were captured, as those around it tell; undefined where the index does not. */
async function place({ db, camera }: WantedHolesOptions, run: string, [from, to]: [number, number]) {
  const parts = db
    .selectFrom('parts')
    .select(['first_frame', 'last_frame', 'start_ms', 'end_ms'])
    .where('camera', '=', camera)
    .where('run', '=', run)
    .limit(1)
  const [before, after] = await Promise.all([
    parts.where('first_frame', '<', from).orderBy('first_frame', 'desc').executeTakeFirst(),
    parts.where('first_frame', '>', to).orderBy('first_frame').executeTakeFirst(),
  ])
  if (after === undefined) return undefined
  const frames = to - from + 1
  const toMs = after.start_ms
  const usual = (after.end_ms - after.start_ms) / (after.last_frame - after.first_frame + 1)
  const fromMs = before?.end_ms ?? toMs - frames * usual
  // the clock was set back meanwhile
  if (fromMs >= toMs) return undefined
  return { from, to, fromMs, toMs, msPerFrame: (toMs - fromMs) / frames, between: before !== undefined }
}

function eventsAround({ db, camera }: WantedHolesOptions, holes: readonly Hole[]) {
  return db
    .selectFrom('events')
    .select(['record_from', 'record_to'])
    .where('camera', '=', camera)
    .where('record_from', '<', Math.max(...holes.map(({ toMs }) => toMs)))
    .where(({ or, eb }) =>
      or([eb('record_to', 'is', null), eb('record_to', '>', Math.min(...holes.map(({ fromMs }) => fromMs)))]),
    )
    .orderBy('begin_at', 'desc')
    .limit(maxEvents)
    .execute()
}

function wantedOf(
  hole: Hole,
  events: readonly { record_from: number; record_to: number | null }[],
  { continuous }: WantedHolesOptions,
): [number, number][] {
  const { from, to, fromMs, toMs, msPerFrame, between } = hole
  const lowest = Math.max(fromMs, toMs - longestMs)
  const wanted = events.map((event): Times[0] => [event.record_from, event.record_to ?? toMs])
  // only what goes on without an event that asks for it breaks off here
  const forEvent = wanted.some(([low, high]) => low <= fromMs && fromMs <= high + longestGopMs)
  if (between && !forEvent) wanted.push(...minutesThat(lowest, toMs, continuous))
  return clipped(joined(wanted), lowest, toMs)
    .filter(([low, high]) => high - low > msPerFrame / 2)
    .map(([low, high]): [number, number] => [
      Math.max(from, from + Math.floor((low - fromMs) / msPerFrame)),
      Math.min(to, from + Math.ceil((high - fromMs) / msPerFrame) - 1),
    ])
}
