import type { Kysely } from 'kysely'
import { expect, test } from 'vitest'
import { timelineOf } from '../../../../gateway/playback/timeline.ts'
import type { Schema } from '../../../../gateway/store/schema.ts'
import { memoryIndex } from '../../../support/memory-index.ts'

const dayMs = 24 * 60 * 60_000
const startMs = Date.UTC(2024, 0, 2)
const camera = 'door.front'
/** Long after, and only events are recorded. */
const later = { now: startMs + 10 * dayMs, continuous: () => false }

type Part = Partial<Schema['parts']> & { start_ms: number; end_ms: number }

async function insertParts(db: Kysely<Schema>, of: string, parts: readonly Part[]): Promise<void> {
  const file = { path: `${of}/${parts[0]?.start_ms}.mp4`, created_at: 1, base_ms: 1, init_bytes: 1, config: 'c' }
  const { id } = await db
    .insertInto('files')
    .values({ ...file, camera: of, closed: 1 })
    .returning('id')
    .executeTakeFirstOrThrow()
  const rows = parts.map((part, index) => ({
    ...{ file_id: id, camera: of, run: 'boot-0001-aaaa-bbbb-cccc-000000000000', keyframe: 1, audio_json: '[]' },
    ...{ offset: index, bytes: 1, generation: 0, first_frame: index, last_frame: index },
    ...part,
    id: undefined,
  }))
  // fewer than the parameters that one statement may have
  for (let at = 0; at < rows.length; at += 2_000)
    await db
      .insertInto('parts')
      .values(rows.slice(at, at + 2_000))
      .execute()
}

/** Parts of a second, one after the other. */
const seconds = (fromMs: number, count: number, more: Partial<Part> = {}): Part[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ start_ms: fromMs + index * 1_000, end_ms: fromMs + (index + 1) * 1_000 },
    ...more,
  }))

async function insertEvent(db: Kysely<Schema>, id: string, from: number, to: number | null, of = camera) {
  await db
    .insertInto('events')
    .values({
      ...{ id, camera: of, kind: 'motion', begin_at: from, end_at: to, still_path: null },
      ...{ record_from: from - 10_000, record_to: to === null ? null : to + 5_000 },
    })
    .execute()
}

const at = (second: number) => startMs + second * 1_000
const day = { camera, fromMs: startMs, toMs: startMs + dayMs }

test('a day shows what is recorded, what is missing of its events and why, and nothing of other cameras', async () => {
  const db = await memoryIndex()
  await insertParts(db, 'door.back', seconds(startMs, 3_600))
  // from the day before into this one; then an event whole, one with a hole, one through a restart
  await insertParts(db, camera, seconds(at(-5), 10))
  await insertParts(db, camera, [...seconds(at(90), 40), ...seconds(at(290), 15), ...seconds(at(320), 15)])
  await insertParts(db, camera, [...seconds(at(590), 20), ...seconds(at(630), 5, { run: 'boot-0002' })])
  await insertEvent(db, 'event-01', at(100), at(125))
  await insertEvent(db, 'event-02', at(300), at(330))
  await insertEvent(db, 'event-03', at(600), at(630))
  await insertEvent(db, 'event-04', at(900), at(930), 'door.back')
  expect(await timelineOf(db, day, later)).toEqual({
    ...{ from: startMs, to: startMs + dayMs, resolutionMs: 1_000, gapsLeftOut: 0, eventsLeftOut: 0 },
    recorded: [
      [at(0), at(5)],
      [at(90), at(130)],
      [at(290), at(305)],
      [at(320), at(335)],
      [at(590), at(610)],
      [at(630), at(635)],
    ],
    gaps: [
      [at(305), at(320), 'missing'],
      [at(610), at(630), 'restart'],
    ],
    events: [
      ['event-01', 'motion', at(100), at(125)],
      ['event-02', 'motion', at(300), at(330)],
      ['event-03', 'motion', at(600), at(630)],
    ],
  })
})

test('what is to come, or has just been captured, is not missing', async () => {
  const db = await memoryIndex()
  await insertParts(db, camera, seconds(at(50), 45))
  await insertEvent(db, 'event-01', at(60), null)
  const timeline = await timelineOf(db, day, { ...later, now: at(100) })
  expect(timeline).toMatchObject({ recorded: [[at(50), at(95)]], gaps: [] })
  expect(timeline.events).toEqual([['event-01', 'motion', at(60), null]])
  expect((await timelineOf(db, day, { ...later, now: at(200) })).gaps).toEqual([[at(95), at(190), 'missing']])
})

test('what was recorded all the time and broke off is missing, at the hours when it is recorded all the time', async () => {
  const db = await memoryIndex()
  const continuous = (ms: number) => ms < at(1_200)
  await insertParts(db, camera, [...seconds(at(-3_600), 60), ...seconds(at(100), 100), ...seconds(at(300), 100)])
  await insertEvent(db, 'event-01', at(310), at(395))
  await insertParts(db, camera, [...seconds(at(900), 100, { run: 'boot-0002' })])
  const { gaps } = await timelineOf(db, day, { ...later, continuous })
  expect(gaps).toEqual([
    // since the day before
    [at(0), at(100), 'missing'],
    [at(200), at(300), 'missing'],
    // from 400 on: as long as is known, that was recorded for the event
    [at(1_000), at(1_200), 'missing'],
  ])
  expect((await timelineOf(db, day, { continuous, now: at(1_100) })).gaps.at(-1)).toEqual([
    at(1_000),
    at(1_090),
    'missing',
  ])
  expect((await timelineOf(db, day, later)).gaps).toEqual([])
})

test('a mended hole, out of order and of a higher generation, is no gap', async () => {
  const db = await memoryIndex()
  await insertEvent(db, 'event-01', at(60), at(90))
  await insertParts(db, camera, [...seconds(at(50), 20), ...seconds(at(80), 20)])
  expect((await timelineOf(db, day, later)).gaps).toHaveLength(1)
  await insertParts(db, camera, seconds(at(69), 12, { generation: 1 }))
  expect(await timelineOf(db, day, later)).toMatchObject({ recorded: [[at(50), at(100)]], gaps: [] })
})

test('an empty day is empty; a time that is none, or too long, is refused', async () => {
  const db = await memoryIndex()
  expect(await timelineOf(db, day, later)).toMatchObject({ recorded: [], gaps: [], events: [] })
  await expect(timelineOf(db, { ...day, toMs: startMs }, later)).rejects.toMatchObject({ code: 'range_invalid' })
  const long = { ...day, toMs: startMs + 2 * dayMs }
  await expect(timelineOf(db, long, later)).rejects.toMatchObject({ code: 'range_too_long' })
})

test('a gap says why, where that is known: of its own frames, not of those of another gap', async () => {
  const db = await memoryIndex()
  const frames = (first_frame: number, last_frame: number) => ({ run: 'boot-0001', first_frame, last_frame })
  // 25 pictures a second; two events with a hole each, then a restart
  const part = (second: number, length: number, run = 'boot-0001') => ({
    ...{ start_ms: at(second), end_ms: at(second + length) },
    ...{ ...frames(second * 25, (second + length) * 25 - 1), run },
  })
  await insertParts(db, camera, [part(90, 20), part(130, 20), part(290, 10), part(320, 15), part(590, 20)])
  await insertParts(db, camera, [part(630, 5, 'boot-0002')])
  for (const [id, from, to] of [
    ['event-01', 100, 145],
    ['event-02', 300, 330],
    ['event-03', 600, 630],
  ] as const)
    await insertEvent(db, id, at(from), at(to))
  const gap = { camera, run: 'boot-0001', at: 1 }
  await db
    .insertInto('gaps')
    .values([
      { ...gap, from_frame: 110 * 25, to_frame: 112 * 25 - 1, reason: 'queue_full' },
      { ...gap, from_frame: 112 * 25, to_frame: 130 * 25 - 1, reason: 'too_old' },
      { ...gap, from_frame: 200 * 25, to_frame: 240 * 25 - 1, reason: 'refused' },
      { ...gap, from_frame: 610 * 25, to_frame: 611 * 25, reason: 'disk_full' },
      { ...gap, camera: 'door.back', from_frame: 300 * 25, to_frame: 320 * 25, reason: 'not_kept' },
    ])
    .execute()
  expect((await timelineOf(db, day, later)).gaps).toEqual([
    [at(110), at(130), 'too_old'],
    [at(300), at(320), 'missing'],
    [at(610), at(630), 'not_written'],
  ])
  await db.deleteFrom('gaps').where('reason', '=', 'disk_full').execute()
  expect((await timelineOf(db, day, later)).gaps.at(-1)).toEqual([at(610), at(630), 'restart'])
})

test('a busy day of four cameras is one small answer', async () => {
  const db = await memoryIndex()
  for (const of of [camera, 'door.back', 'yard.east', 'yard.west']) {
    // continuous, with a pause of two seconds every minute and a half
    const parts = seconds(startMs, 86_400).filter((_, second) => second % 90 > 1)
    await insertParts(db, of, parts)
    for (let event = 0; event < 200; event += 1) {
      const id = `0d9c1d3e-7f5b-4c0a-${of.replace('.', '')}-${String(event).padStart(8, '0')}`
      await insertEvent(db, id, at(event * 420 + 30), at(event * 420 + 55), of)
    }
  }
  const gaps = Array.from({ length: 2_000 }, (_, index) => ({
    ...{ camera, run: 'boot-0001-aaaa-bbbb-cccc-000000000000', reason: 'not_kept', at: 1 },
    ...{ from_frame: index * 90, to_frame: index * 90 + 1 },
  }))
  await db.insertInto('gaps').values(gaps).execute()
  const timeline = await timelineOf(db, day, { ...later, continuous: () => true })
  expect(timeline.events).toHaveLength(200)
  // 959 pauses are more than the answer holds: they are closed, and that is said
  expect(timeline.resolutionMs).toBeGreaterThan(1_000)
  expect(timeline.gaps).toHaveLength(100)
  expect(timeline.gapsLeftOut).toBeGreaterThan(100)
  expect(JSON.stringify(timeline).length).toBeLessThan(30_000)
})
