import type { Timeline, TimelineEvent, TimeSpan } from '../api/calls.ts'

/** A shorter rest of a recording is not worth going to, ms. */
const restMs = 1_000
/** So far around an event its clip goes, ms. */
const aroundEventMs = 10_000
/** An event that goes on, or has no end yet, is saved no longer, ms. */
const longestEventMs = 10 * 60_000
/** "The one before" means another one when this one is only just over, ms. */
const justBegunMs = 2_000

/** The local day that a moment is in. @param days further, back where negative; days have 23 to 25 hours */
export function dayOfMoment(ms: number, days = 0): TimeSpan {
  const midnight = (further: number) => {
    const date = new Date(ms)
    return new Date(date.getFullYear(), date.getMonth(), date.getDate() + further).getTime()
  }
  return { fromMs: midnight(days), toMs: midnight(days + 1) }
}

/** The next moment from `ms` on that is recorded; undefined: none of this day. */
export function nextRecorded({ recorded }: Timeline, ms: number): number | undefined {
  const span = recorded.find(([, to]) => to > ms + restMs)
  return span && Math.max(span[0], ms)
}

/** Why something that should be there at a moment is not; undefined: nothing was to be recorded, or it is there. */
export function gapAt({ gaps }: Timeline, ms: number): Timeline['gaps'][0][2] | undefined {
  return gaps.find(([from, to]) => from <= ms && ms < to)?.[2]
}

export function nextEvent({ events }: Timeline, ms: number): TimelineEvent | undefined {
  return events.find(({ beginAt }) => beginAt > ms)
}

export function previousEvent({ events }: Timeline, ms: number): TimelineEvent | undefined {
  return events.findLast(({ beginAt }) => beginAt < ms - justBegunMs)
}

/** The event of a moment, or that it is close to; of several the one that began last. */
export function eventAt({ events }: Timeline, ms: number): TimelineEvent | undefined {
  return events.findLast((event) => {
    const { fromMs, toMs } = eventSpan(event)
    return fromMs <= ms && ms < toMs
  })
}

/** What of an event one wants to keep: some seconds before and after, too. */
export function eventSpan({ beginAt, endAt }: TimelineEvent): TimeSpan {
  const end = Math.min(endAt ?? Number.POSITIVE_INFINITY, beginAt + longestEventMs)
  return { fromMs: beginAt - aroundEventMs, toMs: end + aroundEventMs }
}

/** The time around a moment. @param lengthMs in all */
export function around(ms: number, lengthMs: number): TimeSpan {
  return { fromMs: Math.round(ms - lengthMs / 2), toMs: Math.round(ms + lengthMs / 2) }
}

/** Whether anything of a time is recorded. */
export function hasRecorded({ recorded }: Timeline, { fromMs, toMs }: TimeSpan): boolean {
  return recorded.some(([from, to]) => from < toMs && to > fromMs)
}
