import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { encodeFootageHeader, encodeFootageUnit } from '@porchlight/proto/footage.ts'
import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { audioFrames, videoUnits } from '../support/coded-samples.ts'
import { decode, probe } from '../support/decode.ts'
import { footageBody } from '../support/footage-body.ts'
import { HandTimers } from '../support/hand-timers.ts'
import { recordedUnits, sliceHash } from '../support/recorded-units.ts'
import { beginEvent, camera, type RecorderHouse, recorderHouse } from '../support/recorder-house.ts'

const run = 'boot-0001'
const startMs = 1_700_000_000_000
const hour = 3_600_000
const units = await videoUnits({ seconds: 6, startMs })
const format = { codec: 'opus', clockRate: 48_000, channels: 1 } as const
const sound = (await audioFrames('opus', { seconds: 6, startMs })).slice(0, 300)

/** Everything of the run is on the disk once, in files that decode, begin with a keyframe and are as long as their pictures. */
async function allRecorded(home: RecorderHouse, sent: readonly AccessUnit[], mostSeconds = 30) {
  expect(await home.recorder.missingFrames(camera, run, sent[0]!.frame, sent.at(-1)!.frame)).toEqual([])
  await home.recorder.close()
  const recorded = recordedUnits(home.directory, camera).toSorted((a, b) => a.frame - b.frame)
  expect(recorded.map(({ frame, hash }) => [frame, hash])).toEqual(
    sent.map(({ frame, data }) => [frame, sliceHash(data)]),
  )
  const files = await home.db.selectFrom('files').select('path').orderBy('id').execute()
  const lengths = await Promise.all(
    files.map(async ({ path }) => {
      const whole = join(home.directory, path)
      expect((await decode(whole)).errors).toEqual([])
      return Number((await probe(whole)).format.duration)
    }),
  )
  for (const seconds of lengths) expect(seconds).toBeLessThan(mostSeconds)
  return { recorded, files }
}

async function live(sent: readonly AccessUnit[], frames: readonly AudioFrame[] = []) {
  const home = await recorderHouse()
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, sent, { format, frames })
  return home
}

/** Pictures and sound from `at` (ms) on are of another clock. */
const stepped = <T extends { captureMs: number }>(all: readonly T[], at: number, by: number): T[] =>
  all.map((one) => (one.captureMs < at ? one : { ...one, captureMs: one.captureMs + by }))

test.each([
  ['an hour ahead', hour],
  ['an hour back', -hour],
  ['149 hours ahead', 149 * hour],
  ['from 1970 to now', -startMs + 5_000],
])(
  'a clock that is set %s in the middle of a group: every picture and all sound, in files that decode',
  async (_, by) => {
    // 1970 comes first, and then the time
    const first = by < -hour ? [by, 0] : [0, by]
    const at = startMs + 2_500
    const shift = <T extends { captureMs: number }>(all: readonly T[]) =>
      stepped(stepped(all, 0, first[0]!), at + first[0]!, first[1]! - first[0]!)
    const home = await recorderHouse()
    await beginEvent(home, 'event-01', startMs)
    const sent = shift(units)
    const heard = shift(sound)
    const reader = home.sfu.readers.get(camera)!
    reader.format(run, { codec: 'h264', width: 320, height: 240 }, format)
    for (const [index, unit] of sent.entries()) {
      for (const frame of heard.slice(index * 2, index * 2 + 2)) reader.audioFrame(frame)
      reader.accessUnit(unit)
    }
    const { files, recorded } = await allRecorded(home, units)
    expect(files).toHaveLength(2)
    // the new time counts from the first keyframe after the step on
    for (const unit of recorded.slice(75))
      expect(Math.abs(unit.captureMs - sent[unit.frame]!.captureMs)).toBeLessThan(1)
    const parts = await home.db.selectFrom('parts').select('audio_json').execute()
    const spans = parts.flatMap(({ audio_json: text }) => JSON.parse(text) as [number, number][])
    const seconds = spans.reduce((sum, [from, to]) => sum + to - from, 0) / 1_000
    expect(seconds).toBeGreaterThan(5.8)
    expect(seconds).toBeLessThan(6.1)
  },
)

test('times that run backwards, or jump about: every picture, in files that decode', async () => {
  await allRecorded(await live(units.map((unit, index) => ({ ...unit, captureMs: startMs - index * 40 }))), units)
  const jumping = units.map((unit, index) => ({ ...unit, captureMs: startMs + ((index * 7_919) % 1_013) * 977 }))
  await allRecorded(await live(jumping), units, 1_000)
})

test('a resolution that changes while it is recorded: every picture, in files that decode', async () => {
  const larger = await videoUnits({ seconds: 2, startMs: startMs + 6_000, firstFrame: 150, size: '640x480' })
  const { files } = await allRecorded(await live([...units, ...larger]), [...units, ...larger])
  expect(files).toHaveLength(2)
})

test('ten seconds of pre-roll in one burst, live and as footage, are recorded whole', async () => {
  const burst = await videoUnits({ seconds: 10, startMs })
  await allRecorded(await live(burst, (await audioFrames('opus', { seconds: 10, startMs })).slice(0, 500)), burst)
  // more than may wait for the index
  const many = await videoUnits({ seconds: 200, startMs, size: '64x48', gop: 250 })
  const home = await recorderHouse()
  expect(await home.recorder.footage(camera, footageBody(run, many))).toEqual({ units: 5_000, duplicates: 0 })
  await allRecorded(home, many, 210)
})

test('an index that fails when pictures begin to come: what follows is recorded, and the rest is asked for', async () => {
  const timers = new HandTimers()
  const home = await recorderHouse({ timers })
  const states: (string | undefined)[] = []
  home.recorder.onState((_, state) => states.push(state.error))
  await beginEvent(home, 'event-01', startMs)
  await home.db.schema.alterTable('parts').renameTo('parts_away').execute()
  home.sfu.play(camera, run, units.slice(0, 20))
  await expect.poll(() => states).toContain('index_failed')
  // a device is told, and delivers again: also what begins without a keyframe
  const hole = home.recorder.footage(camera, footageBody('boot-0002', units.slice(60, 66)))
  await expect(hole).rejects.toMatchObject({ code: 'index_failed' })
  await home.db.schema.alterTable('parts_away').renameTo('parts').execute()
  const reader = home.sfu.readers.get(camera)!
  for (const unit of units.slice(20)) reader.accessUnit(unit)
  await expect.poll(async () => home.recorder.missingFrames(camera, run, 0, 149)).toEqual([[0, 24]])
  await expect
    .poll(() => {
      timers.fire(500)
      return home.asked
    })
    .toEqual([[run, 0, 24]])
  await home.recorder.footage(camera, footageBody(run, units.slice(0, 25)))
  await allRecorded(home, units)
})

test.each<[string, (unit: AccessUnit, index: number) => Partial<AccessUnit>]>([
  ['of 1970', (_, index) => ({ captureMs: index * 40 })],
  ['of the year 2286', (_, index) => ({ captureMs: 9_999_999_000_000 + index * 40 })],
  ['149 hours long', (_, index) => ({ captureMs: startMs + index * 3_600_000 })],
  ['with the highest numbers there are', (_, index) => ({ frame: 0xffff_ffff - 149 + index })],
])('footage %s is recorded in files that decode, and disturbs nothing', async (_, lie) => {
  const home = await live(units.map((unit) => ({ ...unit, frame: unit.frame + 1_000 })))
  const lies = units.map((unit, index) => ({ ...unit, ...lie(unit, index) }))
  expect(await home.recorder.footage(camera, footageBody(run, lies))).toEqual({ units: 150, duplicates: 0 })
  expect(await home.recorder.missingFrames(camera, run, 1_000, 1_149)).toEqual([])
  await home.recorder.close()
  for (const { path } of await home.db.selectFrom('files').select('path').execute()) {
    const whole = join(home.directory, path)
    expect((await decode(whole)).errors).toEqual([])
    expect(Number((await probe(whole)).format.duration)).toBeLessThan(600)
  }
})

test('footage with numbers that are taken changes nothing of what is recorded, whatever it shows', async () => {
  const home = await live(units)
  expect(await home.recorder.missingFrames(camera, run, 0, 149)).toEqual([])
  const other = await videoUnits({ seconds: 6, startMs: 0, size: '64x48' })
  expect(await home.recorder.footage(camera, footageBody(run, other))).toEqual({ units: 150, duplicates: 150 })
  await allRecorded(home, units)
})

test('footage of another time that fills a hole does not pull the pictures around it there', async () => {
  const home = await live(units.filter(({ frame }) => frame < 60 || frame > 65))
  expect(await home.recorder.missingFrames(camera, run, 0, 149)).toEqual([[60, 65]])
  const lie = units.slice(60, 66).map((unit, index) => ({ ...unit, captureMs: index * 40 }))
  await home.recorder.footage(camera, footageBody(run, lie))
  await home.recorder.close()
  const recorded = recordedUnits(home.directory, camera)
  expect(recorded).toHaveLength(150)
  for (const { frame, captureMs } of recorded)
    if (frame < 60 || frame > 65) expect(Math.abs(captureMs - units[frame]!.captureMs)).toBeLessThan(1)
})

test('whatever footage claims, it is recorded or refused with a code, and the recorder goes on', async () => {
  const home = await recorderHouse()
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })
  const liar = fc.record({
    codec: fc.constantFrom('h264', 'h265', 'vp8', 'vp9', 'av1'),
    frame: fc.oneof(fc.nat(300), fc.constantFrom(0xffff_ffff, 0x8000_0000)),
    captureMs: fc.oneof(
      fc.double({ min: 0, max: 1e13, noNaN: true }),
      fc.nat(10_000).map((ms) => startMs + ms),
    ),
    keyframe: fc.boolean(),
    reference: fc.boolean(),
    data: fc.oneof(
      fc.array(bytes, { minLength: 1, maxLength: 3 }),
      fc.nat(149).map((index) => units[index]!.data),
    ),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('h264', 'h265', 'vp9', 'av1'),
      fc.array(liar, { minLength: 1, maxLength: 12 }),
      async (codec, lies) => {
        const all = lies.map((unit) => ({ ...unit, codec }) as AccessUnit)
        const body = [
          encodeFootageHeader({ run: 'boot-lies', video: { codec, width: 1, height: 1 } as never }),
          ...all.map(encodeFootageUnit),
        ]
        const open = async function* () {
          yield* body
        }
        const outcome = await home.recorder.footage(camera, open).catch((error: unknown) => error)
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(PorchlightError)
      },
    ),
    { numRuns: 60 },
  )
  await home.recorder.footage(camera, footageBody(run, units))
  expect(await home.recorder.missingFrames(camera, run, 0, 149)).toEqual([])
})
