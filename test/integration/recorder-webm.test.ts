import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Clips } from '../../gateway/playback/clips.ts'
import type { Movie } from '../../gateway/playback/movie.ts'
import { Sprites } from '../../gateway/playback/sprites.ts'
import { fsck } from '../../gateway/recorder/fsck.ts'
import { rebuild } from '../../gateway/recorder/rebuild.ts'
import { audioFrames, videoUnits } from '../support/coded-samples.ts'
import { decode, ffmpegPath, probe } from '../support/decode.ts'
import { footageBody } from '../support/footage-body.ts'
import { quietLog } from '../support/quiet-log.ts'
import {
  beginEvent,
  camera,
  endEvent,
  type RecorderHouse,
  recordedPictures,
  recorderHouse,
  unitHash,
} from '../support/recorder-house.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const run = 'boot-0001'
const startMs = 1_700_000_000_000
const opus = { codec: 'opus', clockRate: 48_000, channels: 1 } as const
const columns = ['run', 'first_frame', 'last_frame', 'start_ms', 'end_ms', 'audio_json', 'offset', 'bytes'] as const

const parts = ({ db }: RecorderHouse) => db.selectFrom('parts').select(columns).orderBy('offset').execute()

async function pathOf(movie: Movie): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of movie.read(0, movie.bytes - 1)) pieces.push(piece)
  const path = join(await tempDir(), 'movie')
  await writeFile(path, Buffer.concat(pieces))
  expect((await readFile(path)).length).toBe(movie.bytes)
  return path
}

async function differences({ db, directory }: RecorderHouse): Promise<string[]> {
  const found: string[] = []
  await fsck({ db, directory, onFinding: ({ code }) => found.push(code), onProgress: () => undefined })
  return found
}

/** Six seconds of VP8 with Opus. */
async function recorded() {
  const home = await recorderHouse()
  const units = await videoUnits({ codec: 'vp8', seconds: 6 })
  const frames = (await audioFrames('opus', { seconds: 6 })).slice(0, 300)
  await beginEvent(home, 'event-01', startMs)
  await home.recorder.footage(camera, footageBody(run, units, { format: opus, frames }))
  return { home, units }
}

test('VP8 is recorded as WebM: pre-roll and a hole that come later, live pictures, sound; every picture at its time', async () => {
  const home = await recorderHouse()
  const units = await videoUnits({ codec: 'vp8', seconds: 6 })
  const frames = (await audioFrames('opus', { seconds: 6 })).slice(0, 300)
  await beginEvent(home, 'event-01', startMs)
  const live = units.slice(50).filter((unit) => unit.frame < 90 || unit.frame > 96)
  const liveSound = frames.filter((frame) => frame.captureMs >= startMs + 2_000)
  home.sfu.play(camera, run, live, { format: opus, frames: liveSound })
  await until('the question for what is missing', () => home.asked.length > 0)
  await endEvent(home, 'event-01', startMs + 6_000)
  const early = { format: opus, frames: frames.filter((frame) => frame.captureMs < startMs + 2_500) }
  await home.recorder.footage(camera, footageBody(run, units.slice(0, 60), early))
  await home.recorder.footage(camera, footageBody(run, units.slice(90, 97)))
  expect(await recordedPictures(home, 'event-01')).toEqual(units.map(unitHash))
  const movie = await home.playback.movie('event-01')
  expect(movie.type).toBe('video/webm')
  const path = await pathOf(movie)
  const { streams, format } = await probe(path)
  expect(format.format_name).toBe('matroska,webm')
  expect(Number(format.duration)).toBeCloseTo(6, 1)
  expect(streams.map((stream) => stream.codec_name)).toEqual(['vp8', 'opus'])
  const { video, audio, errors } = await decode(path)
  expect(errors).toEqual([])
  expect(video.map(({ seconds }) => Math.round(seconds * 25))).toEqual(units.map((_, index) => index))
  expect(audio).toHaveLength(frames.length)
  for (const [index, { seconds }] of audio.entries()) expect(seconds).toBeCloseTo(index / 50, 2)
  await expect(home.playback.playlist('event-01')).rejects.toMatchObject({ code: 'recording_no_hls' })
})

test('a file cut off in its last part plays to its last whole one; the index follows the files, and is made from them', async () => {
  const { home, units } = await recorded()
  await home.recorder.close()
  const before = await parts(home)
  const [file] = await home.db.selectFrom('files').selectAll().execute()
  expect(file!.path).toMatch(/-footage-1\.webm$/)
  const path = join(home.directory, file!.path)
  expect((await decode(path)).video).toHaveLength(units.length)
  expect(await differences(home)).toEqual([])
  // as if killed: the last part torn, the index behind by two, the file still open
  await truncate(path, before.at(-1)!.offset + 100)
  await home.db.deleteFrom('parts').where('offset', '>=', before.at(-3)!.offset).execute()
  await home.db.updateTable('files').set({ closed: 0 }).execute()
  expect((await decode(path)).video.length).toBeGreaterThanOrEqual(units.length - 25)
  const after = await recorderHouse({ directory: home.directory, db: home.db })
  expect(await parts(after)).toEqual(before.slice(0, -1))
  const { video, errors } = await decode(path)
  expect([video.length, errors]).toEqual([units.length - 25, []])
  await after.recorder.close()
  expect(await differences(after)).toEqual([])
  const anew = await recorderHouse({ directory: await tempDir() })
  await rebuild({ db: anew.db, directory: home.directory, onProgress: () => undefined })
  expect(await parts(anew)).toEqual(before.slice(0, -1))
})

test('a clip of VP8 begins at its keyframe and takes over what a player needs to seek; not with another codec in it', async () => {
  const { home, units } = await recorded()
  const clips = new Clips(home)
  const path = await pathOf(await clips.movie({ camera, fromMs: startMs + 3_500, toMs: startMs + 5_000 }))
  const { video, errors } = await decode(path)
  expect(errors).toEqual([])
  expect(video).toHaveLength(50)
  const sought = await decode(await pathOf(await home.playback.movie('event-01')), ['-ss', '4.1'])
  expect(sought.video).toHaveLength(units.length - 103)
  const h264 = await videoUnits({ startMs: startMs + 6_000, firstFrame: 150 })
  await home.recorder.footage(camera, footageBody(run, h264))
  const range = { camera, fromMs: startMs, toMs: startMs + 9_000 }
  await expect(clips.movie(range)).rejects.toMatchObject({ code: 'recording_mixed' })
  expect((await clips.movie({ ...range, fromMs: startMs + 6_000 })).type).toBe('video/mp4')
})

test('G.711 beside VP8 becomes Opus; without an ffmpeg there are the pictures; stills and sprites are made', async () => {
  const units = await videoUnits({ codec: 'vp8', seconds: 3 })
  const frames = await audioFrames('pcmu', { seconds: 3 })
  const sound = { format: { codec: 'pcmu', clockRate: 8_000, channels: 1 } as const, frames }
  const streams = async (ffmpeg: string | undefined) => {
    const home = await recorderHouse({ ffmpeg })
    const stills: string[] = []
    home.recorder.onStill((eventId) => stills.push(eventId))
    await beginEvent(home, 'event-01', startMs, startMs + 400)
    await home.recorder.footage(camera, footageBody(run, units, sound))
    if (ffmpeg) {
      await until('the still', () => stills.includes('event-01'))
      const sprites = new Sprites({ ...home, ffmpeg, log: quietLog })
      onTestFinished(() => sprites.close())
      expect((await sprites.jpeg(camera, Math.floor(startMs / 60_000))).length).toBeGreaterThan(500)
    }
    const path = await pathOf(await home.playback.movie('event-01'))
    expect((await decode(path)).errors).toEqual([])
    return (await probe(path)).streams.map((stream) => stream.codec_name)
  }
  expect(await streams(ffmpegPath())).toEqual(['vp8', 'opus'])
  expect(await streams(undefined)).toEqual(['vp8'])
})
