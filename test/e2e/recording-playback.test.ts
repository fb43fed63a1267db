import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { VideoCodec } from '@porchlight/proto/messages/cameras.ts'
import type { Browser } from 'playwright-core'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { recordingRoutes } from '../../gateway/api/routes/recordings.ts'
import { Playback } from '../../gateway/playback/playback.ts'
import { recordingExtension } from '../../gateway/recorder/file-format.ts'
import { Recorder } from '../../gateway/recorder/recorder.ts'
import { atFileEnd } from '../support/at-file-end.ts'
import { openChromium } from '../support/chromium.ts'
import { audioFrames, videoUnits } from '../support/coded-samples.ts'
import { credential } from '../support/credential.ts'
import { footageBody } from '../support/footage-body.ts'
import { memoryIndex } from '../support/memory-index.ts'
import { quietLog } from '../support/quiet-log.ts'
import { routeApp } from '../support/route-app.ts'
import { ScriptedSfu } from '../support/scripted-sfu.ts'
import { tempDir } from '../support/temp-dir.ts'

const startMs = 1_700_000_000_000
const page = `<!doctype html><video muted></video><script src="/hls.js"></script>`

const atEnd = atFileEnd()
let browser: Browser

beforeAll(async () => {
  browser = await openChromium(atEnd)
})

/** A gateway's recording of six seconds, of which the device delivered the first three later. */
async function recording(codec: VideoCodec, bframes: number): Promise<string> {
  const db = await memoryIndex()
  const recordingsDirectory = join(await tempDir(), 'recordings')
  const askFootage = () => undefined
  const recorder = new Recorder({
    ...{ db, directory: recordingsDirectory, sfu: new ScriptedSfu(), ffmpeg: undefined, log: quietLog },
    ...{ now: Date.now, askFootage },
  })
  onTestFinished(() => recorder.close())
  const units = await videoUnits({ codec, seconds: 6, bframes, gop: 50 })
  const frames = await audioFrames('opus', { seconds: 6 })
  const format = { codec: 'opus', clockRate: 48_000, channels: 1 } as const
  for (const [from, to] of [
    [3_000, 6_000],
    [0, 3_000],
  ] as const) {
    const of = <T extends { captureMs: number }>(all: readonly T[]) =>
      all.filter(({ captureMs }) => captureMs >= startMs + from && captureMs < startMs + to)
    const cut = units.findIndex((unit) => unit.keyframe && unit.captureMs > startMs + 1_000)
    const part = from === 0 ? units.slice(0, cut) : units.slice(cut)
    await recorder.footage(
      'door.front',
      footageBody('boot-0001', part, { format, frames: from === 0 ? frames : of(frames) }),
    )
  }
  await db
    .insertInto('events')
    .values({
      ...{ id: 'event-0001', camera: 'door.front', kind: 'ring', begin_at: startMs, end_at: startMs + 6_000 },
      ...{ record_from: startMs, record_to: startMs + 6_000, still_path: null },
    })
    .execute()
  const playback = new Playback({ db, directory: recordingsDirectory, isActive: () => false, now: Date.now })
  const app = routeApp({ subject: { kind: 'user', userId: 'u', name: 'Ada', role: 'owner', credential } })
  recordingRoutes(app, { playback, db, recordingsDirectory })
  app.get('/', (_, reply) => reply.type('text/html').send(page))
  const hls = await readFile(new URL(import.meta.resolve('hls.js/dist/hls.min.js')))
  app.get('/cut', async (_, reply) => reply.send((await longestFile(recordingsDirectory)).subarray(0, -1_000)))
  app.get('/hls.js', (_, reply) => reply.type('text/javascript').send(hls))
  onTestFinished(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

/** The file of a recordings directory that has most in it. */
async function longestFile(directory: string): Promise<Buffer> {
  const names = await readdir(directory, { recursive: true })
  const files = names.filter((name) => recordingExtension.test(name)).map((name) => readFile(join(directory, name)))
  return (await Promise.all(files)).toSorted((a, b) => b.length - a.length)[0]!
}

test.each<[string, VideoCodec, number, string]>([
  ['as a file', 'h264', 0, 'mp4'],
  ['as a file, with B-frames', 'h264', 3, 'mp4'],
  ['as a file, in VP8', 'vp8', 0, 'mp4'],
  ['over HLS', 'h264', 0, 'm3u8'],
  ['over HLS, with B-frames', 'h264', 3, 'm3u8'],
])('a recording plays in Chromium %s: whole length, seeking, to its end', async (_, codec, bframes, kind) => {
  const url = await recording(codec, bframes)
  const tab = await browser.newPage()
  onTestFinished(() => tab.close())
  await tab.goto(url)
  const watch = `(async () => {
    const video = document.querySelector('video')
    const source = '/api/events/event-0001/recording.${kind}'
    const event = (name) => new Promise((resolve, reject) => {
      video.addEventListener(name, resolve, { once: true })
      video.addEventListener('error', () => reject(new Error(video.error.message)), { once: true })
    })
    const ready = event('loadeddata')
    if ('${kind}' === 'mp4') video.src = source
    else {
      const hls = new Hls()
      hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) video.dataset.failure = data.details })
      hls.loadSource(source)
      hls.attachMedia(video)
    }
    await ready
    const begin = video.currentTime
    const seeked = event('seeked')
    video.currentTime = 3.4
    await seeked
    const sought = video.currentTime
    const ended = event('ended')
    await video.play()
    await ended
    const quality = video.getVideoPlaybackQuality()
    return {
      begin, sought, end: video.currentTime, duration: video.duration, width: video.videoWidth,
      buffered: video.buffered.length, failure: video.dataset.failure, frames: quality.totalVideoFrames,
    }
  })()`
  const seen = (await tab.evaluate(watch)) as Record<string, number>
  expect(seen).toMatchObject({ width: 320, failure: undefined })
  expect(seen.duration).toBeCloseTo(6, 0)
  expect(seen.begin).toBeLessThan(0.2)
  expect(seen.sought).toBeCloseTo(3.4, 1)
  expect(seen.end).toBeGreaterThan(5.8)
  expect(seen.frames).toBeGreaterThan(10)
})

test.each<VideoCodec>(['h264', 'vp8'])(
  'a file in %s that was cut off plays in Chromium to its last whole part',
  async (codec) => {
    const url = await recording(codec, 0)
    const tab = await browser.newPage()
    onTestFinished(() => tab.close())
    await tab.goto(url)
    const watch = `new Promise((resolve, reject) => {
    const video = document.querySelector('video')
    video.addEventListener('error', () => reject(new Error(video.error.message)))
    video.addEventListener('ended', () => resolve(video.getVideoPlaybackQuality().totalVideoFrames))
    video.src = '/cut'
    video.play()
  })`
    // of two or more seconds, the last is not whole
    expect(await tab.evaluate(watch)).toBeGreaterThanOrEqual(25)
  },
)
