import { expect, test } from 'vitest'
import type { Timeline } from '../../../viewer/src/api/calls.ts'
import {
  around,
  dayOfMoment,
  eventAt,
  eventSpan,
  gapAt,
  hasRecorded,
  nextEvent,
  nextRecorded,
  previousEvent,
} from '../../../viewer/src/earlier/day-facts.ts'
import { momentAt, placeOf, stretchOf, ticksOf } from '../../../viewer/src/earlier/scale.ts'
import { momentOf, secondsOf, segmentsIn } from '../../../viewer/src/playback/clip-times.ts'
import { hrefOf, parseRoute } from '../../../viewer/src/route.ts'

const day = dayOfMoment(new Date(2026, 10, 20, 15, 30).getTime())
const minute = 60_000
const at = (minutes: number) => day.fromMs + minutes * minute

const timeline: Timeline = {
  ...{ from: day.fromMs, to: day.toMs, resolutionMs: 1_000, eventsLeftOut: 0 },
  recorded: [
    [at(60), at(120)],
    [at(130), at(200)],
  ],
  gaps: [[at(120), at(130), 'restart']],
  events: [
    { id: 'a', kind: 'motion', beginAt: at(70), endAt: at(71) },
    { id: 'b', kind: 'ring', beginAt: at(70.5), endAt: at(72) },
    { id: 'c', kind: 'motion', beginAt: at(199), endAt: null },
  ],
}

test('a day begins at local midnight, also when clocks are set', () => {
  expect(new Date(day.fromMs).getHours()).toBe(0)
  for (let days = -366; days <= 0; days += 1) {
    const { fromMs, toMs } = dayOfMoment(day.fromMs, days)
    expect([new Date(fromMs).getHours(), new Date(toMs).getHours()]).toEqual([0, 0])
    expect(dayOfMoment(toMs)).toEqual(dayOfMoment(day.fromMs, days + 1))
    expect(dayOfMoment(toMs - 1)).toEqual({ fromMs, toMs })
  }
})

test('a place of the strip is a moment, and the other way round; beyond the edge is the edge', () => {
  const scale = { fromMs: at(60), toMs: at(80) }
  expect(placeOf(scale, at(65))).toBe(0.25)
  expect(momentAt(scale, 0.25)).toBe(at(65))
  expect(momentAt(scale, -1)).toBe(at(60))
  expect(momentAt(scale, 7)).toBe(at(80))
})

test('what lies outside of the strip is not drawn, what crosses its edge is cut, and what is short is still seen', () => {
  const scale = { fromMs: at(60), toMs: at(80) }
  expect(stretchOf(scale, at(0), at(59))).toBeUndefined()
  expect(stretchOf(scale, at(81), at(90))).toBeUndefined()
  expect(stretchOf(scale, at(0), at(70))).toEqual({ left: '0.000%', width: '50.000%' })
  expect(stretchOf(scale, at(75), at(90))).toEqual({ left: '75.000%', width: '25.000%' })
  expect(stretchOf(scale, at(70), at(70) + 10, 0.3)).toEqual({ left: '50.000%', width: '0.300%' })
})

test('times on the strip are full ones, and few enough to be read', () => {
  expect(ticksOf({ fromMs: at(63), toMs: at(83) }, 5)).toEqual([at(65), at(70), at(75), at(80)])
  const hours = ticksOf(day, 5).map((tick) => new Date(tick).getHours())
  expect(hours).toEqual([6, 12, 18])
})

test('the next and the previous event; the previous one of an event just begun is the one before it', () => {
  expect(nextEvent(timeline, at(0))?.id).toBe('a')
  expect(nextEvent(timeline, at(70))?.id).toBe('b')
  expect(nextEvent(timeline, at(199))).toBeUndefined()
  expect(previousEvent(timeline, at(80))?.id).toBe('b')
  expect(previousEvent(timeline, at(70.5) + 1_500)?.id).toBe('a')
  expect(previousEvent(timeline, at(70))).toBeUndefined()
})

test('what is kept of an event has some seconds around it, and an end though it goes on', () => {
  expect(eventAt(timeline, at(70.9))?.id).toBe('b')
  expect(eventAt(timeline, at(70) - 5_000)?.id).toBe('a')
  expect(eventAt(timeline, at(100))).toBeUndefined()
  expect(eventSpan(timeline.events[1]!)).toEqual({ fromMs: at(70.5) - 10_000, toMs: at(72) + 10_000 })
  expect(eventSpan(timeline.events[2]!).toMs).toBe(at(209) + 10_000)
  expect(around(at(70), minute)).toEqual({ fromMs: at(69.5), toMs: at(70.5) })
})

test('what there is of a moment: recorded, missing with its reason, or the next that is recorded', () => {
  expect(hasRecorded(timeline, { fromMs: at(119), toMs: at(125) })).toBe(true)
  expect(hasRecorded(timeline, { fromMs: at(120), toMs: at(130) })).toBe(false)
  expect(gapAt(timeline, at(125))).toBe('restart')
  expect(gapAt(timeline, at(130))).toBeUndefined()
  expect(nextRecorded(timeline, at(0))).toBe(at(60))
  expect(nextRecorded(timeline, at(90))).toBe(at(90))
  // the rest of half a second is not worth it
  expect(nextRecorded(timeline, at(120) - 500)).toBe(at(130))
  expect(nextRecorded(timeline, at(200))).toBeUndefined()
})

const playlist = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MAP:URI="clip/init/a.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:00.000Z
#EXTINF:4.00000,
clip/parts/1.m4s?from=1&to=2
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:04.500Z
#EXTINF:4.00000,
clip/parts/2.m4s?from=1&to=2
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:10:00.000Z
#EXTINF:2.50000,
clip/parts/3.m4s?from=1&to=2
#EXT-X-ENDLIST
`

test('a moment is found in a clip whose pauses are skipped, and told of any place in it', () => {
  const segments = segmentsIn(playlist)
  const begin = Date.UTC(2026, 10, 20, 10)
  expect(segments.map(({ at: seconds }) => seconds)).toEqual([0, 4, 8])
  expect(secondsOf(segments, begin + 1_250)).toBe(1.25)
  expect(secondsOf(segments, begin + 5_500)).toBe(5)
  expect(secondsOf(segments, begin + 601_000)).toBe(9)
  // in a pause that is none, and in one that is
  expect(secondsOf(segments, begin + 4_200)).toBe(4)
  expect(secondsOf(segments, begin + 300_000)).toBeUndefined()
  // its end is a picture, too
  expect(secondsOf(segments, begin + 602_600)).toBeCloseTo(10.44)
  expect(momentOf(segments, 1.25)).toBe(begin + 1_250)
  expect(momentOf(segments, 9)).toBe(begin + 601_000)
  expect(momentOf(segments, 99)).toBe(begin + 602_500)
  expect(momentOf([], 1)).toBeUndefined()
})

test('a link to a moment of a camera, and to its newest day', () => {
  const route = { page: 'earlier', id: 'home.door', at: at(70) } as const
  expect(parseRoute(hrefOf(route))).toEqual(route)
  expect(parseRoute('#/earlier/home.door?at=soon')).toEqual({ page: 'earlier', id: 'home.door', at: undefined })
  expect(hrefOf({ page: 'earlier', id: 'home.door' })).toBe('#/earlier/home.door')
})
