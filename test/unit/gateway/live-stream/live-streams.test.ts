import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { expect, onTestFinished, test } from 'vitest'
import { LiveStreams, type LiveStreamsOptions } from '../../../../gateway/live-stream/live-streams.ts'
import type { MediaReader } from '../../../../gateway/sfu/media-reader.ts'
import { audioFrames, videoUnits } from '../../../support/coded-samples.ts'
import { decode, ffmpegPath } from '../../../support/decode.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { ScriptedSfu } from '../../../support/scripted-sfu.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { fakeClock } from '../../viewer/fake-clock.ts'

const camera = 'house.door'

function open(options: Partial<LiveStreamsOptions> = {}) {
  const sfu = new ScriptedSfu()
  const clock = fakeClock()
  const asked: string[] = []
  const streams = new LiveStreams({
    sfu: { read: (id: string, reader: MediaReader) => sfu.read(id, reader), producer: () => undefined },
    want: (id) => asked.push(id),
    ffmpeg: undefined,
    log: quietLog,
    onViewers: () => undefined,
    timers: { set: clock.timer },
    ...options,
  })
  onTestFinished(() => streams.close())
  const signal = new AbortController()
  const watch = (session?: string, sound = true) =>
    streams.join(camera, { sound, session, lifeMs: 60_000, signal: signal.signal })
  return { sfu, clock, asked, streams, signal, watch }
}

/** All that comes until the stream ends. */
async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function decoded(bytes: Uint8Array) {
  const path = join(await tempDir(), 'live.mp4')
  await writeFile(path, bytes)
  return decode(path)
}

/** Plays pictures with the sound of their time. */
function play(sfu: ScriptedSfu, units: readonly AccessUnit[], sound: readonly AudioFrame[] = [], run = 'run-1'): void {
  const fromMs = units[0]!.captureMs
  const toMs = units.at(-1)!.captureMs + 40
  const frames = sound.filter(({ captureMs }) => captureMs >= fromMs && captureMs < toMs)
  sfu.play(camera, run, units, sound[0] ? { format: sound[0], frames } : {})
}

const code = (error: string) => expect.objectContaining({ code: error })

test.each([
  ['Opus', 'opus', undefined, /^video\/mp4; codecs="avc1\.[0-9a-f]{6},opus"$/, true],
  ['G.711 made Opus', 'pcmu', ffmpegPath(), /,opus"$/, true],
  ['G.711 without ffmpeg', 'pcmu', undefined, /^video\/mp4; codecs="avc1\.[0-9a-f]{6}"$/, false],
] as const)('a camera with %s plays without an error, every picture once', async (_, codec, ffmpeg, type, heard) => {
  const { sfu, streams, watch } = open({ ffmpeg })
  const units = await videoUnits({ seconds: 4 })
  const frames = await audioFrames(codec, { seconds: 4 })
  const joining = watch()
  play(sfu, units.slice(0, 10), frames)
  const viewer = await joining
  expect(viewer.type).toMatch(type)
  const bytes = readAll(viewer.body)
  play(sfu, units.slice(10), frames)
  sfu.readers.get(camera)!.ended()
  await streams.close()
  const { video, audio, errors } = await decoded(await bytes)
  expect(errors).toEqual([])
  expect(video).toHaveLength(units.length)
  expect(audio.length > 0).toBe(heard)
})

test('who joins later gets the group of pictures that is going on', async () => {
  const { sfu, streams, watch } = open()
  const units = await videoUnits({ seconds: 3 })
  const frames = await audioFrames('opus', { seconds: 3 })
  const first = watch()
  play(sfu, units.slice(0, 60), frames)
  const all = readAll((await first).body)
  const later = await watch()
  const rest = readAll(later.body)
  play(sfu, units.slice(60), frames)
  sfu.readers.get(camera)!.ended()
  await streams.close()
  await all
  const { video, audio } = await decoded(await rest)
  // 50 begins the third group.
  expect(video).toHaveLength(25)
  expect(audio.length).toBeGreaterThan(0)
})

test('a viewer whose browser takes no Opus gets pictures only', async () => {
  const { sfu, watch } = open()
  const joining = watch(undefined, false)
  play(sfu, await videoUnits({ seconds: 1 }), await audioFrames('opus', { seconds: 1 }))
  const { type, body } = await joining
  expect(type).toMatch(/"avc1\.[0-9a-f]{6}"$/)
  body.destroy()
})

test('a camera that is not live is asked, again and again, and its absence said', async () => {
  const { clock, asked, watch } = open()
  const joining = watch()
  clock.advance(8_000)
  await expect(joining).rejects.toEqual(code('camera_offline'))
  expect(asked).toEqual([camera, camera, camera, camera])
  clock.advance(60_000)
  expect(asked).toHaveLength(4)
})

test('a camera whose codec has no place in MP4 is said to be unplayable', async () => {
  const { sfu, watch } = open()
  const joining = watch()
  const [keyframe] = await videoUnits({ seconds: 1 })
  play(sfu, [{ ...keyframe!, codec: 'vp8' }])
  await expect(joining).rejects.toEqual(code('codec_unsupported'))
})

test('other codecs end the stream: whoever asks again gets the new ones', async () => {
  const { sfu, watch } = open()
  const first = watch()
  play(sfu, (await videoUnits({ seconds: 1 })).slice(0, 10))
  const old = await first
  const ended = readAll(old.body)
  const next = await videoUnits({ codec: 'h265', seconds: 1, firstFrame: 10 })
  play(sfu, next)
  await ended
  const anew = await watch()
  expect(anew.type).toMatch(/hvc1/)
  anew.body.destroy()
})

test('a device that starts anew begins a new stream at its keyframe', async () => {
  const { sfu, watch } = open()
  const units = await videoUnits({ seconds: 1 })
  const first = watch()
  play(sfu, units)
  const ended = readAll((await first).body)
  play(sfu, units, [], 'run-2')
  expect((await decoded(await ended)).video).toHaveLength(units.length)
})

test('a producer that takes over begins with pictures sent before: none is shown twice', async () => {
  const { sfu, streams, watch } = open()
  const units = await videoUnits({ seconds: 2 })
  const first = watch()
  play(sfu, units.slice(0, 20))
  const bytes = readAll((await first).body)
  sfu.readers.get(camera)!.ended()
  play(sfu, units.slice(10))
  sfu.readers.get(camera)!.ended()
  await streams.close()
  const { video, errors } = await decoded(await bytes)
  expect(errors).toEqual([])
  expect(video).toHaveLength(units.length)
})

test('the camera is let go some seconds after the last viewer, and not before', async () => {
  const { sfu, clock, watch } = open()
  const units = await videoUnits({ seconds: 1 })
  const joining = watch()
  play(sfu, units)
  const viewer = await joining
  clock.advance(30_000)
  const closed = new Promise((resolve) => viewer.body.once('close', resolve))
  viewer.body.destroy()
  await closed
  clock.advance(4_000)
  const again = await watch()
  clock.advance(30_000)
  expect(sfu.readers.has(camera)).toBe(true)
  const gone = new Promise((resolve) => again.body.once('close', resolve))
  again.body.destroy()
  await gone
  clock.advance(5_000)
  expect(sfu.readers.has(camera)).toBe(false)
})

test('a stream ends with its sign-in, and when that is too old', async () => {
  const { sfu, clock, streams, watch } = open()
  const joining = [watch('s1'), watch('s2')]
  play(sfu, await videoUnits({ seconds: 1 }))
  const [first, second] = (await Promise.all(joining)).map(({ body }) => readAll(body))
  expect(streams.viewers(camera)).toBe(2)
  streams.endSession('s1')
  await first
  await expect.poll(() => streams.viewers(camera)).toBe(1)
  clock.advance(60_000)
  await second
  await expect.poll(() => streams.viewers(camera)).toBe(0)
})

test('there is a bound to viewers, and waiting ones count', async () => {
  const { signal, watch } = open({ limits: { perCamera: 1 } })
  const waiting = watch()
  await expect(watch()).rejects.toEqual(code('session_limit'))
  signal.abort()
  await expect(waiting).rejects.toEqual(code('session_ended'))
})
