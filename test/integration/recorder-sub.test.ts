import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Clips } from '../../gateway/playback/clips.ts'
import { scanFiles } from '../../gateway/recorder/scan-files.ts'
import { audioFrames, videoUnits } from '../support/coded-samples.ts'
import { decode, pictures } from '../support/decode.ts'
import { beginEvent, camera, endEvent, recordedPictures, recorderHouse, unitHash } from '../support/recorder-house.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const run = 'boot-0001'
const startMs = 1_700_000_000_000
const seconds = 16
const format = { codec: 'opus', clockRate: 48_000, channels: 1 } as const
/** The small layer under its own numbers: ten a second, a keyframe each two seconds. */
const smallUnits = () => videoUnits({ seconds, framesPerSecond: 10, gop: 20, size: '160x120', firstFrame: 500 })

test.each([0, 2])(
  'the small layer all the time, the main one at an event: one clip of both, without a gap and nothing twice (%i B-frames)',
  async (bframes) => {
    const home = await recorderHouse()
    const { db, directory } = home
    const small = await smallUnits()
    const frames = await audioFrames('opus', { seconds })
    const soundOf = (from: number, to: number) =>
      frames.filter(({ captureMs }) => captureMs >= startMs + from && captureMs < startMs + to)
    home.recorder.record(camera, 'continuous-sub')
    home.sfu.play(`${camera} sub`, `${run}.sub`, small, { format, frames })

    await beginEvent(home, 'event-01', startMs + 5_000)
    const units = (await videoUnits({ seconds, bframes })).filter(
      ({ captureMs }) => captureMs >= startMs + 5_000 && captureMs < startMs + 9_000,
    )
    home.sfu.play(camera, run, units, { format, frames: soundOf(5_000, 9_000) })
    await endEvent(home, 'event-01', startMs + 9_000)
    home.recorder.record(camera, 'events')
    await until('the small layer on the disk', async () => {
      const open = await db.selectFrom('files').where('closed', '=', 0).select('id').execute()
      const parts = await db.selectFrom('parts').where('run', '=', `${run}.sub`).select('last_frame').execute()
      return open.length <= 1 && parts.some((part) => part.last_frame === small.at(-1)!.frame)
    })
    // The main layer of the event is there as it was sent.
    const { parts } = await db
      .selectFrom('parts')
      .where('run', '=', run)
      .select(({ fn }) => fn.countAll<number>().as('parts'))
      .executeTakeFirstOrThrow()
    expect(parts).toBeGreaterThan(3)
    expect(await recordedPictures(home, 'event-01')).toEqual(
      expect.arrayContaining(units.slice(0, 50).map((unit) => unitHash(unit))),
    )

    // The files alone say as much as the index does.
    const files = scanFiles(directory, new Set()).files
    const indexed = await db
      .selectFrom('parts')
      .select(({ fn }) => fn.countAll<number>().as('parts'))
      .executeTakeFirstOrThrow()
    expect(files.reduce((sum, file) => sum + file.parts.length, 0)).toBe(indexed.parts)

    const clips = new Clips({ db, directory })
    const range = { camera, fromMs: startMs, toMs: startMs + seconds * 1_000 }
    const movie = await clips.movie(range)
    const pieces: Uint8Array[] = []
    for await (const piece of movie.read(0, movie.bytes - 1)) pieces.push(piece)
    const path = join(await tempDir(), 'clip.mp4')
    await writeFile(path, Buffer.concat(pieces))
    const { audio, errors } = await decode(path)
    expect(errors).toEqual([])
    // Ten a second, and 25 of the event's; at its end the small layer goes on from its last keyframe.
    const expected = [
      ...Array.from({ length: 50 }, (_, index) => ({ at: index / 10, width: 160 })),
      ...Array.from({ length: 75 }, (_, index) => ({ at: 5 + index / 25, width: 320 })),
      ...Array.from({ length: 80 }, (_, index) => ({ at: 8 + index / 10, width: 160 })),
    ]
    const shown = await pictures(path)
    expect(shown.map(({ width }) => width)).toEqual(expected.map(({ width }) => width))
    // ffmpeg moves all that follows the first B-frame by a picture.
    const digits = bframes === 0 ? 2 : 1
    for (const [index, { seconds: at }] of shown.entries()) expect(at).toBeCloseTo(expected[index]!.at, digits)
    expect(audio.length).toBeGreaterThan((seconds - 1) * 50)
    expect(audio.length).toBeLessThanOrEqual(frames.length)

    const uris = { init: (config: string) => `${config}.mp4`, part: (id: number) => `${id}.m4s` }
    const playlist = await clips.playlist(range, uris)
    expect(playlist.match(/#EXT-X-DISCONTINUITY/g)).toHaveLength(2)
    const told = [...playlist.matchAll(/#EXTINF:([\d.]+),\n(\d+)\.m4s/g)].map(([, length, id]) => [
      Number(length),
      Number(id),
    ])
    expect(told.reduce((sum, [length]) => sum + length!, 0)).toBeCloseTo(seconds, 1)
    for (const [, id] of told) expect((await clips.segment(range, id!)).byteLength).toBeGreaterThan(100)
  },
)

test('without a small layer the main one is recorded all the time, until the small one comes', async () => {
  const home = await recorderHouse()
  home.recorder.record(camera, 'continuous-sub')
  const small = home.sfu.readers.get(`${camera} sub`)!
  expect(home.sfu.readers.has(camera)).toBe(false)
  small.format(`${run}.sub`, undefined, format)
  expect(home.sfu.readers.has(camera)).toBe(true)
  home.sfu.play(camera, run, await videoUnits({ seconds: 2 }))
  home.sfu.play(`${camera} sub`, `${run}.sub`, (await smallUnits()).slice(0, 20))
  expect(home.sfu.readers.has(camera)).toBe(false)
  home.recorder.record(camera, 'off')
  expect(home.sfu.readers.size).toBe(0)
  await until('both on the disk', async () => {
    const rows = await home.db.selectFrom('parts').select('run').distinct().execute()
    return rows.length === 2
  })
})

test('a ring at a camera that is off is not recorded, and is from when the camera is on', async () => {
  const home = await recorderHouse()
  const states: boolean[] = []
  home.recorder.onState((_, { recording }) => states.push(recording))
  home.recorder.record(camera, 'off')
  await beginEvent(home, 'event-01', startMs)
  expect(home.sfu.readers.size).toBe(0)
  expect(states).not.toContain(true)
  home.recorder.record(camera, 'events')
  home.sfu.play(camera, run, await videoUnits({ seconds: 2 }))
  await endEvent(home, 'event-01', startMs + 1_500)
  expect((await home.playback.recording('event-01')).bytes).toBeGreaterThan(0)
})
