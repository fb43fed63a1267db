import { mkdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { audioFrames, videoUnits } from '../support/coded-samples.ts'
import { decode, ffmpegPath, probe } from '../support/decode.ts'
import { footageBody } from '../support/footage-body.ts'
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

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

async function bytesOf({ playback }: RecorderHouse, eventId: string): Promise<Buffer> {
  const movie = await playback.movie(eventId)
  const bytes = await collect(movie.read(0, movie.bytes - 1))
  expect(bytes.length).toBe(movie.bytes)
  return bytes
}

async function decoded(home: RecorderHouse, eventId: string) {
  const path = join(await tempDir(), 'recording.mp4')
  await writeFile(path, await bytesOf(home, eventId))
  return { path, ...(await decode(path)) }
}

test.each([0, 3])(
  'pre-roll and a hole that come after the live pictures give one recording without a gap (%i B-frames)',
  async (bframes) => {
    const home = await recorderHouse()
    const units = await videoUnits({ seconds: 6, bframes })
    const frames = (await audioFrames('opus', { seconds: 6 })).slice(0, 300)
    const format = { codec: 'opus', clockRate: 48_000, channels: 1 } as const
    await beginEvent(home, 'event-01', startMs)
    // live: from the third second on, without pictures 90 to 96
    const live = units.slice(50).filter((unit) => unit.frame < 90 || unit.frame > 96)
    const liveSound = frames.filter((frame) => frame.captureMs >= startMs + 2_000)
    home.sfu.play(camera, run, live, { format, frames: liveSound })
    await until('the question for what is missing', () => home.asked.length > 0)
    expect(home.asked).toEqual([[run, 90, 96]])
    await endEvent(home, 'event-01', startMs + 6_000)
    expect((await home.playback.recording('event-01')).gaps).not.toEqual([])
    // footage: the pre-roll with an overlap, and what was asked for
    const early = { format, frames: frames.filter((frame) => frame.captureMs < startMs + 2_500) }
    const preroll = await home.recorder.footage(camera, footageBody(run, units.slice(0, 60), early))
    expect(preroll).toEqual({ units: 60, duplicates: 10 })
    await home.recorder.footage(camera, footageBody(run, units.slice(90, 97)))
    expect(await recordedPictures(home, 'event-01')).toEqual(units.map(unitHash))
    const { video, audio, errors } = await decoded(home, 'event-01')
    expect(errors).toEqual([])
    expect(video).toHaveLength(units.length)
    expect(audio).toHaveLength(frames.length)
    for (const [index, frame] of audio.entries())
      expect(frame.seconds).toBeCloseTo((frames[index]!.captureMs - startMs) / 1_000, 2)
    const times = video.map((frame) => frame.seconds)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(await home.playback.recording('event-01')).toMatchObject({ state: 'complete', gaps: [] })
  },
)

test('overlapping events share parts; each plays from its own keyframe', async () => {
  const home = await recorderHouse()
  const units = await videoUnits({ seconds: 6 })
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, units.slice(0, 75))
  await beginEvent(home, 'event-02', startMs + 1_500)
  home.sfu.play(camera, run, units.slice(75))
  await endEvent(home, 'event-01', startMs + 4_000)
  await endEvent(home, 'event-02', startMs + 6_000)
  expect(await recordedPictures(home, 'event-01')).toEqual(units.slice(0, 100).map(unitHash))
  expect(await recordedPictures(home, 'event-02')).toEqual(units.slice(25).map(unitHash))
  const parts = await home.db.selectFrom('parts').select(['first_frame', 'last_frame']).orderBy('first_frame').execute()
  expect(parts.reduce((sum, part) => sum + part.last_frame - part.first_frame + 1, 0)).toBe(units.length)
  expect(await home.db.selectFrom('files').selectAll().execute()).toHaveLength(1)
})

test('a recording that grows can be played, and says so', async () => {
  const home = await recorderHouse()
  const units = await videoUnits({ seconds: 6 })
  await beginEvent(home, 'event-01', startMs)
  expect(await home.playback.recording('event-01')).toMatchObject({ state: 'growing', fromMs: null })
  await expect(home.playback.movie('event-01')).rejects.toMatchObject({ code: 'recording_empty' })
  home.sfu.play(camera, run, units.slice(0, 110))
  const said = await until('four parts', async () => {
    const recording = await home.playback.recording('event-01')
    return (recording.toMs ?? 0) >= startMs + 4_000 && recording
  })
  expect(said).toMatchObject({ state: 'growing', fromMs: startMs, gaps: [] })
  const { video, errors } = await decoded(home, 'event-01')
  expect(errors).toEqual([])
  expect(video).toHaveLength(100)
  const playlist = await home.playback.playlist('event-01')
  expect(playlist).toContain('#EXT-X-PLAYLIST-TYPE:EVENT')
  expect(playlist).not.toContain('ENDLIST')
  home.sfu.play(camera, run, units.slice(110))
  await endEvent(home, 'event-01', startMs + 6_000)
  const complete = await home.playback.playlist('event-01')
  expect(complete.startsWith(playlist.replace('TYPE:EVENT', 'TYPE:VOD'))).toBe(true)
  expect(complete).toContain('#EXT-X-ENDLIST')
})

test('every byte range of the MP4 is that of the whole; the segments of the playlist are playable', async () => {
  const home = await recorderHouse()
  const units = await videoUnits({ seconds: 6 })
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, units)
  await endEvent(home, 'event-01', startMs + 6_000)
  const whole = await bytesOf(home, 'event-01')
  const movie = await home.playback.movie('event-01')
  for (const [from, to] of [
    [0, 0],
    [1, 2_000],
    [650, 90_000],
    [whole.length - 1, whole.length - 1],
    [60_000, 300_000],
  ] as const) {
    const bytes = await collect(movie.read(from, Math.min(to, whole.length - 1)))
    expect(bytes.equals(whole.subarray(from, to + 1))).toBe(true)
  }
  const { path } = await decoded(home, 'event-01')
  const { format } = await probe(path)
  expect(Number(format.duration)).toBeCloseTo(6, 1)
  const playlist = await home.playback.playlist('event-01')
  const config = /init\/([0-9a-f]{64})\.mp4/.exec(playlist)![1]!
  const ids = [...playlist.matchAll(/parts\/(\d+)\.m4s/g)].map((match) => Number(match[1]))
  expect(ids).toHaveLength(6)
  const segments = await Promise.all(ids.slice(2, 4).map((id) => home.playback.segment('event-01', id)))
  const hls = join(await tempDir(), 'segments.mp4')
  await writeFile(hls, Buffer.concat([await home.playback.init('event-01', config), ...segments]))
  const { video, errors } = await decode(hls)
  expect(errors).toEqual([])
  expect(video).toHaveLength(50)
  await expect(home.playback.segment('event-01', 99_999)).rejects.toMatchObject({ code: 'recording_not_found' })
})

test('after kill -9 the index takes in what the file has, up to its last whole part', async () => {
  const home = await recorderHouse()
  const units = await videoUnits({ seconds: 6 })
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, units)
  const rows = await until('five parts', async () => {
    const parts = await home.db.selectFrom('parts').selectAll().orderBy('offset').execute()
    return parts.length >= 5 && parts
  })
  await home.recorder.close()
  // as if killed: the last part torn in its moof, the index behind by two, the file still open
  const [file] = await home.db.selectFrom('files').selectAll().execute()
  const path = join(home.directory, file!.path)
  const all = await home.db.selectFrom('parts').selectAll().orderBy('offset').execute()
  await truncate(path, all.at(-1)!.offset + 100)
  await home.db.deleteFrom('parts').where('offset', '>=', rows.at(-2)!.offset).execute()
  await home.db.updateTable('files').set({ closed: 0 }).execute()
  const after = await recorderHouse({ directory: home.directory, db: home.db })
  expect(await after.playback.recording('event-01')).toMatchObject({ state: 'complete', gaps: [] })
  expect(await recordedPictures(after, 'event-01')).toEqual(units.slice(0, 125).map(unitHash))
  expect((await decode(path)).errors).toEqual([])
  // and what is delivered again is written once
  const again = await after.recorder.footage(camera, footageBody(run, units.slice(100)))
  expect(again).toEqual({ units: 50, duplicates: 25 })
  expect(await recordedPictures(after, 'event-01')).toEqual(units.map(unitHash))
})

test('an index that is lost is made again from the files', async () => {
  const home = await recorderHouse()
  const units = await videoUnits({ seconds: 3 })
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, units)
  await endEvent(home, 'event-01', startMs + 3_000)
  await home.recorder.close()
  const columns = ['run', 'first_frame', 'last_frame', 'start_ms', 'end_ms', 'audio_json', 'offset', 'bytes'] as const
  const before = await home.db.selectFrom('parts').select(columns).execute()
  const after = await recorderHouse({ directory: home.directory })
  expect(await after.db.selectFrom('parts').select(columns).execute()).toEqual(before)
})

test('a directory that cannot be written is said, and recording goes on when it can be again', async () => {
  const directory = join(await tempDir(), 'recordings')
  await writeFile(directory, 'a file where the directory should be')
  const home = await recorderHouse({ directory })
  const states: (string | undefined)[] = []
  home.recorder.onState((_, state) => states.push(state.error))
  const units = await videoUnits({ seconds: 6 })
  await beginEvent(home, 'event-01', startMs)
  home.sfu.play(camera, run, units.slice(0, 60))
  await until('the error', () => states.includes('disk_failed'))
  await expect(home.recorder.footage(camera, footageBody(run, units.slice(0, 25)))).rejects.toMatchObject({
    code: 'disk_failed',
  })
  await rm(directory)
  await mkdir(directory)
  home.sfu.play(camera, run, units.slice(60))
  await until('the recovery', () => states.at(-1) === undefined)
  await endEvent(home, 'event-01', startMs + 6_000)
  await until('the question for what was not written', () => home.asked.length > 0)
  await home.recorder.footage(camera, footageBody(run, units))
  expect(await recordedPictures(home, 'event-01')).toEqual(units.map(unitHash))
})

test('G.711 becomes Opus where there is an ffmpeg, at the same times, live and in footage', async () => {
  const home = await recorderHouse({ ffmpeg: ffmpegPath() })
  const units = await videoUnits({ seconds: 6 })
  const frames = await audioFrames('pcmu', { seconds: 6 })
  const format = { codec: 'pcmu', clockRate: 8_000, channels: 1 } as const
  await beginEvent(home, 'event-01', startMs)
  const live = frames.filter((frame) => frame.captureMs >= startMs + 3_000)
  home.sfu.play(camera, run, units.slice(75), { format, frames: live })
  await endEvent(home, 'event-01', startMs + 6_000)
  await home.recorder.footage(camera, footageBody(run, units.slice(0, 75), { format, frames }))
  const { path, audio, errors } = await decoded(home, 'event-01')
  expect(errors).toEqual([])
  const { streams } = await probe(path)
  expect(streams.map((stream) => stream.codec_name)).toEqual(['h264', 'opus'])
  expect(audio[0]!.seconds).toBeLessThan(0.05)
  const heard = audio.reduce((sum, frame) => sum + frame.durationSeconds, 0)
  expect(heard).toBeGreaterThan(5.6)
  expect(heard).toBeLessThan(6.1)
})

test('an event gets its still as soon as its picture is there', async () => {
  const home = await recorderHouse({ ffmpeg: ffmpegPath() })
  const stills: string[] = []
  home.recorder.onStill((eventId) => stills.push(eventId))
  const units = await videoUnits({ seconds: 3, bframes: 3 })
  await beginEvent(home, 'event-01', startMs - 5_000, startMs + 400)
  home.sfu.play(camera, run, units)
  await until('the still', () => stills.includes('event-01'))
  const { still_path: path } = await home.db.selectFrom('events').select('still_path').executeTakeFirstOrThrow()
  const { streams } = await probe(join(home.directory, path!))
  expect(streams[0]).toMatchObject({ codec_name: 'mjpeg', width: 320, height: 240 })
})
