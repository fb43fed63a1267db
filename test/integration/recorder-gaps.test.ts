import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { timelineOf } from '../../gateway/playback/timeline.ts'
import { lookMs } from '../../gateway/recorder/completeness.ts'
import { againMs, collectMs } from '../../gateway/recorder/hole-asker.ts'
import { looksMs } from '../../gateway/recorder/preroll-check.ts'
import { videoUnits } from '../support/coded-samples.ts'
import { footageBody } from '../support/footage-body.ts'
import { HandTimers } from '../support/hand-timers.ts'
import {
  beginEvent,
  camera,
  finishEvent,
  type RecorderHouse,
  recordedPictures,
  recorderHouse,
  unitHash,
} from '../support/recorder-house.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const run = 'boot-0001'
const startMs = 1_700_000_000_000
const units = await videoUnits({ seconds: 6, startMs, firstFrame: 1_000 })
/** Two seconds of the six are lost. */
const lost: [number, number] = [1_050, 1_099]
const live = units.filter(({ frame }) => frame < lost[0] || frame > lost[1])

const gapsOf = ({ db }: RecorderHouse) =>
  db.selectFrom('gaps').select(['run', 'from_frame', 'to_frame', 'reason']).orderBy('from_frame').execute()
const timelineGaps = async ({ db }: RecorderHouse) => {
  const range = { camera, fromMs: startMs - 60_000, toMs: startMs + 60_000 }
  return (await timelineOf(db, range, { now: startMs + 120_000, continuous: () => false })).gaps
}

/** An event of six seconds of which the middle is lost. */
async function recordedWithHole(options: Parameters<typeof recorderHouse>[0] = {}) {
  const timers = new HandTimers()
  const home = await recorderHouse({ ...options, timers })
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, live)
  await finishEvent(home, run, 'event-01', startMs + 6_000)
  return { home, timers }
}

/** Delivers pictures as footage. @returns the first and the last frame that are recorded then */
async function recordedRange(home: RecorderHouse, delivered: typeof units): Promise<{ frames: number[] }> {
  await home.recorder.footage(camera, footageBody(run, delivered))
  const parts = await home.db.selectFrom('parts').select(['first_frame', 'last_frame']).orderBy('first_frame').execute()
  return { frames: [parts[0]!.first_frame, parts.at(-1)!.last_frame] }
}

test('a gap has the reason that the device tells, is counted once, and is no gap any more when its pictures come after all', async () => {
  const { home, timers } = await recordedWithHole()
  timers.fire(collectMs)
  timers.fire(againMs[0])
  expect(home.asked).toEqual([
    [run, ...lost],
    [run, ...lost],
  ])
  expect(await timelineGaps(home)).toEqual([[startMs + 2_000, startMs + 4_000, 'missing']])
  // what is recorded is no gap, whatever the device says
  for (let times = 0; times < 2; times += 1) await home.recorder.framesGone(camera, run, [[1_040, 1_110]], 'not_kept')
  expect(home.counted).toEqual({ not_kept: 50 })
  expect(await gapsOf(home)).toEqual([{ run, from_frame: lost[0], to_frame: lost[1], reason: 'not_kept' }])
  expect(await timelineGaps(home)).toEqual([[startMs + 2_000, startMs + 4_000, 'not_kept']])
  timers.fire(againMs[1])
  expect(home.asked).toHaveLength(2)

  await home.recorder.footage(camera, footageBody(run, units.slice(50, 60)))
  await until('less of the gap', async () => (await gapsOf(home))[0]?.from_frame === 1_060)
  expect(await timelineGaps(home)).toEqual([[startMs + 2_400, startMs + 4_000, 'not_kept']])
  await home.recorder.footage(camera, footageBody(run, units.slice(60, 100)))
  await until('no gap', async () => (await gapsOf(home)).length === 0)
  expect(home.counted).toEqual({ not_kept: 50, filled: 50 })
  expect(await timelineGaps(home)).toEqual([])
  expect(await recordedPictures(home, 'event-01')).toEqual(units.map(unitHash))
})

test('a device that does not answer is asked again when it comes back, and what it says then counts', async () => {
  const { home, timers } = await recordedWithHole()
  timers.fire(collectMs)
  for (const ms of againMs) timers.fire(ms)
  await until('the gap', async () => (await gapsOf(home)).length === 1)
  expect(await timelineGaps(home)).toEqual([[startMs + 2_000, startMs + 4_000, 'unanswered']])
  home.asked.length = 0
  home.recorder.deviceOnline(camera, false, undefined)
  home.recorder.deviceOnline(camera, true, 'boot-0002')
  await until('the question', () => {
    timers.fire(collectMs)
    return home.asked.length > 0
  })
  expect(home.asked).toEqual([[run, ...lost]])
  await home.recorder.framesGone(camera, run, [lost], 'too_old')
  expect(await gapsOf(home)).toMatchObject([{ reason: 'too_old' }])
  expect(home.counted).toEqual({ unanswered: 50 })
})

test('what could not be written, and the device has no more, is missing because of the disk', async () => {
  const directory = join(await tempDir(), 'recordings')
  await writeFile(directory, 'a file where the directory should be')
  const timers = new HandTimers()
  const home = await recorderHouse({ directory, timers })
  const states: (string | undefined)[] = []
  home.recorder.onState((_, state) => states.push(state.error))
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, units.slice(0, 60))
  await until('the error', () => states.includes('disk_failed'))
  await rm(directory)
  await mkdir(directory)
  home.sfu.play(camera, run, units.slice(60))
  await finishEvent(home, run, 'event-01', startMs + 6_000)
  const missing = await home.recorder.missingFrames(camera, run, 1_000, 1_149)
  expect(missing[0]?.[0]).toBe(1_000)
  timers.fire(collectMs)
  expect(home.asked.flatMap(([, from]) => from)).toContain(1_000)
  await home.recorder.framesGone(camera, run, [[1_000, 1_149]], 'not_kept')
  const frames = missing.reduce((sum, [from, to]) => sum + to - from + 1, 0)
  expect(home.counted).toEqual({ disk_failed: frames })
  expect(new Set((await gapsOf(home)).map(({ reason }) => reason))).toEqual(new Set(['disk_failed']))
  await home.db
    .updateTable('events')
    .set({ record_from: startMs - 2_000 })
    .execute()
  expect((await timelineGaps(home)).map(([, , reason]) => reason)).toEqual(['not_written'])
})

test('what is missing is answered from the disk: what is open is written first', async () => {
  const home = await recorderHouse()
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, units.slice(0, 40))
  expect(await home.recorder.missingFrames(camera, run, 990, 1_045)).toEqual([
    [990, 999],
    [1_040, 1_045],
  ])
  const parts = await home.db.selectFrom('parts').select('last_frame').execute()
  expect(Math.max(...parts.map((part) => part.last_frame))).toBe(1_039)
  // a delivery on its way is waited for, and one of another run answers nothing
  const footage = home.recorder.footage(camera, footageBody(run, units.slice(100)))
  await footage
  expect(await home.recorder.missingFrames(camera, run, 1_030, 1_160)).toEqual([
    [1_040, 1_099],
    [1_150, 1_160],
  ])
  expect(await home.recorder.missingFrames(camera, 'boot-0009', 1_000, 1_001)).toEqual([[1_000, 1_001]])
})

test('after a restart the device is asked for what is missing of events, also before their first picture, and for nothing else', async () => {
  const { home } = await recordedWithHole()
  // a later event, whose pre-roll is not there; between the two nothing was wanted
  const later = await videoUnits({ seconds: 2, startMs: startMs + 60_000, firstFrame: 2_500 })
  await beginEvent(home, 'event-02', startMs + 58_000, startMs + 60_000)
  home.sfu.play(camera, run, later)
  await finishEvent(home, run, 'event-02', startMs + 62_000)
  await home.recorder.close()
  await home.db
    .updateTable('events')
    .set({ record_from: startMs - 400 })
    .where('id', '=', 'event-01')
    .execute()

  const timers = new HandTimers()
  const again = await recorderHouse({ directory: home.directory, db: home.db, timers })
  again.recorder.deviceOnline(camera, true, run)
  timers.fire(lookMs)
  await until('the questions', () => {
    timers.fire(collectMs)
    return again.asked.length > 0
  })
  expect(again.asked).toEqual([
    [run, 990, 999],
    [run, ...lost],
    [run, 2_450, 2_499],
  ])
})

test('a delivery of frames that are on their way to the disk is answered when they are there', async () => {
  const home = await recorderHouse()
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, units.slice(0, 20))
  expect(await home.recorder.footage(camera, footageBody(run, units.slice(0, 15)))).toEqual({
    units: 15,
    duplicates: 15,
  })
  expect(await recordedPictures(home, 'event-01')).toEqual(units.slice(0, 20).map(unitHash))
})

test('of a camera that was off for a while, footage of that time is not recorded, and the rest begins at a keyframe', async () => {
  const offMs = startMs + 3_000
  const home = await recorderHouse({ modeAt: (ms) => (ms < offMs ? 'off' : 'events') })
  await beginEvent(home, 'event-01', startMs)
  const { frames } = await recordedRange(home, units)
  const first = units.find(({ captureMs, keyframe }) => keyframe && captureMs >= offMs)!
  expect(frames).toEqual([first.frame, units.at(-1)!.frame])
})

test('a ring at a camera that is off lacks no pre-roll', async () => {
  const timers = new HandTimers()
  const home = await recorderHouse({ timers })
  home.recorder.record(camera, 'off')
  await beginEvent(home, 'event-01', startMs)
  expect(timers.all.filter(({ ms }) => ms === looksMs[0])).toEqual([])
  home.recorder.record(camera, 'events')
  await beginEvent(home, 'event-02', startMs)
  expect(timers.all.filter(({ ms }) => ms === looksMs[0])).toHaveLength(1)
})

test('of a recording that goes on all the time, what is missing is asked for after a restart', async () => {
  const before = await recorderHouse()
  before.recorder.record(camera, 'continuous')
  before.sfu.play(camera, run, live)
  await before.recorder.close()
  const timers = new HandTimers()
  const after = await recorderHouse({ directory: before.directory, db: before.db, timers, continuous: true })
  after.recorder.record(camera, 'continuous')
  const later = await videoUnits({ seconds: 2, startMs: startMs + 10_000, firstFrame: 1_250 })
  after.sfu.play(camera, run, later)
  await until(
    'the new pictures',
    async () => (await after.recorder.missingFrames(camera, run, 1_250, 1_299)).length === 0,
  )
  timers.fire(lookMs)
  await until('the questions', () => {
    timers.fire(collectMs)
    return after.asked.length > 0
  })
  expect(after.asked).toEqual([
    [run, ...lost],
    [run, 1_150, 1_249],
  ])
})

test('of a camera whose frames nobody keeps, what is lost is gone at once', async () => {
  const { home } = await recordedWithHole({ keepsNothing: true })
  await until('the gap', async () => (await gapsOf(home)).length === 1)
  expect(home.counted).toEqual({ not_kept: 50 })
  expect(home.asked).toEqual([])
})

test('an event without all of its pre-roll is counted once the device has nothing more to give; others are not', async () => {
  const timers = new HandTimers()
  const home = await recorderHouse({ timers })
  await beginEvent(home, 'event-01', startMs, startMs + 2_000)
  // told of before its pre-roll could be there at all: two seconds are missing
  await beginEvent(home, 'event-02', startMs - 2_000, startMs + 3_000)
  home.sfu.play(camera, run, units.slice(25))
  await finishEvent(home, run, 'event-01', startMs + 6_000)
  await finishEvent(home, run, 'event-02', startMs + 6_000)
  await home.recorder.footage(camera, footageBody(run, units.slice(0, 25)))
  timers.fire(lookMs)
  await until('the question', () => {
    timers.fire(collectMs)
    return home.asked.length > 0
  })
  expect(home.asked).toEqual([[run, 950, 999]])
  for (const ms of looksMs.slice(0, 2)) {
    await until('the next look', () => timers.all.some((timer) => timer.ms === ms && !timer.stopped))
    timers.fire(ms)
  }
  await until('the look after that', () => timers.all.some((timer) => timer.ms === looksMs[2] && !timer.stopped))
  expect(home.counted).toEqual({})
  await home.recorder.framesGone(camera, run, [[950, 999]], 'not_kept')
  timers.fire(looksMs[2])
  await until('the count', () => home.counted.preroll !== undefined)
  expect(home.counted).toEqual({ not_kept: 50, preroll: 1 })
})
