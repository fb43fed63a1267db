import { isSubRun } from '@porchlight/proto/ids.ts'
import { filledWithSub, shortestGapMs } from './fill-with-sub.ts'

/** What choosing needs to know of a part; rows of the index have more. */
export interface PartSpan {
  run: string
  first_frame: number
  last_frame: number
  keyframe: number
  start_ms: number
  end_ms: number
  generation: number
  /** Only what is shown before this is played; `end_ms` then is the same. Absent: all of it. */
  until_ms?: number
}

export interface Selection<T extends PartSpan> {
  /** In the order to play them; each frame once; each begins with a keyframe or goes on where the last one ended. */
  parts: T[]
  /** Capture times [from, to] in ms between the first and the last picture for which there is none. */
  gaps: [number, number][]
}

/**
 * Chooses the parts that show `fromMs`…`toMs`: of parts with the same frames the one of the highest generation; from the
 * keyframe at or before `fromMs`, or the first after it where there is none. The small layer is played where there is
 * nothing of the main one.
 * @param candidates parts of one camera around that time, further back than `fromMs` by at least a group of pictures
 */
export function selectParts<T extends PartSpan>(candidates: readonly T[], fromMs: number, toMs: number): Selection<T> {
  const runs = [...Map.groupBy(candidates, ({ run }) => run).values()]
    .map((parts) => withoutDoubles(parts))
    .toSorted((a, b) => a[0]!.start_ms - b[0]!.start_ms)
  const chosen = (small: boolean) =>
    runs.filter(([first]) => isSubRun(first!.run) === small).flatMap((parts) => within(parts, fromMs, toMs))
  const small = chosen(true)
  const main = chosen(false)
  const parts = small.length === 0 ? main : filledWithSub(main, small, fromMs, toMs)
  return { parts, gaps: gapsBetween(parts) }
}

/** Of parts of one run that share frames, the highest generation; sorted by frame. */
function withoutDoubles<T extends PartSpan>(parts: readonly T[]): T[] {
  const chosen: T[] = []
  let cluster: T[] = []
  let last = -1
  for (const part of parts.toSorted((a, b) => a.first_frame - b.first_frame)) {
    if (part.first_frame > last) {
      chosen.push(...bestOf(cluster))
      cluster = []
    }
    cluster.push(part)
    last = Math.max(last, part.last_frame)
  }
  return [...chosen, ...bestOf(cluster)]
}

function bestOf<T extends PartSpan>(cluster: readonly T[]): T[] {
  if (cluster.length < 2) return [...cluster]
  const chosen: T[] = []
  for (const part of cluster.toSorted((a, b) => b.generation - a.generation || a.first_frame - b.first_frame)) {
    const shared = chosen.some((other) => part.first_frame <= other.last_frame && other.first_frame <= part.last_frame)
    if (!shared) chosen.push(part)
  }
  return chosen.toSorted((a, b) => a.first_frame - b.first_frame)
}

function within<T extends PartSpan>(parts: readonly T[], fromMs: number, toMs: number): T[] {
  let first = parts.findIndex((part) => part.end_ms > fromMs)
  if (first < 0) return []
  // back to the keyframe, as far as the numbers are unbroken
  while (first > 0 && parts[first]!.keyframe === 0 && follows(parts[first - 1]!, parts[first]!)) first -= 1
  return decodable(parts.slice(first)).filter((part) => part.start_ms < toMs)
}

/** Leaves out what follows the beginning or a hole up to the next keyframe: it refers to pictures that are not there. */
function decodable<T extends PartSpan>(parts: readonly T[]): T[] {
  const chosen: T[] = []
  for (const part of parts) {
    const last = chosen.at(-1)
    if (part.keyframe === 1 || (last && follows(last, part))) chosen.push(part)
  }
  return chosen
}

function follows(before: PartSpan, after: PartSpan): boolean {
  return before.run === after.run && before.last_frame + 1 === after.first_frame
}

function gapsBetween(parts: readonly PartSpan[]): [number, number][] {
  const gaps: [number, number][] = []
  for (const [index, part] of parts.entries()) {
    const before = parts[index - 1]
    if (before === undefined) continue
    const missing = part.start_ms - before.end_ms
    const broken = !follows(before, part) && before.run === part.run
    if (missing >= shortestGapMs || (broken && missing > 0)) gaps.push([before.end_ms, part.start_ms])
  }
  return gaps
}
