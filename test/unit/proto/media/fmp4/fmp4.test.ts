import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { patchFragment, readFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { initSegment, readInit, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { videoEntry } from '@porchlight/proto/media/fmp4/video-entry.ts'
import { expect, test } from 'vitest'
import { FileTimeline } from '../../../../../gateway/recorder/encode-part.ts'
import { type Part, PartBuilder } from '../../../../../gateway/recorder/part-builder.ts'
import { audioFrames, type VideoSamples, videoUnits } from '../../../../support/coded-samples.ts'
import { decode, ffmpegPath } from '../../../../support/decode.ts'
import { tempDir } from '../../../../support/temp-dir.ts'

const startMs = 1_700_000_000_000
/** So short that groups of pictures are cut. */
const partMs = 1_000

async function movie(options: VideoSamples, audioCodec?: AudioFrame['codec']) {
  const units = await videoUnits(options)
  const sound = audioCodec ? await audioFrames(audioCodec, { seconds: options.seconds ?? 3 }) : []
  const parts: Part[] = []
  const builder = new PartBuilder((part) => parts.push(part), partMs)
  builder.run('run-1')
  let next = 0
  for (const unit of units) {
    for (; sound[next] && sound[next]!.captureMs <= unit.captureMs; next += 1) builder.audioFrame(sound[next]!)
    builder.unit(unit)
  }
  for (const frame of sound.slice(next)) builder.audioFrame(frame)
  builder.flush()
  const entry = videoEntry(units[0]!)!
  const init = initSegment(entry, sound[0])
  const timeline = new FileTimeline(startMs)
  const fragments = parts.map((part) => timeline.encode(part, true))
  const path = join(await tempDir(), 'movie.mp4')
  await writeFile(path, Buffer.concat([init, ...fragments]))
  return { units, parts, fragments, init, entry, path, sound }
}

test.each<[string, VideoSamples]>([
  ['H.264', {}],
  ['H.264 with B-frames', { bframes: 3 }],
  ['H.264 with B-frames and long groups', { bframes: 3, gop: 75 }],
  ['H.265', { codec: 'h265' }],
  ['H.265 with B-frames', { codec: 'h265', bframes: 4 }],
  ['VP9', { codec: 'vp9' }],
  ['AV1', { codec: 'av1' }],
])('%s decodes without an error, every picture once and at its time', async (_, options) => {
  const { units, entry, path } = await movie(options)
  expect([entry.width, entry.height]).toEqual([320, 240])
  const { video, errors } = await decode(path)
  expect(errors).toEqual([])
  expect(video).toHaveLength(units.length)
  const expected = units.map((unit) => (unit.captureMs - startMs) / 1_000).toSorted((a, b) => a - b)
  for (const [index, frame] of video.entries()) expect(frame.seconds).toBeCloseTo(expected[index]!, 3)
})

test.each<[AudioFrame['codec'], number]>([
  ['opus', 3],
  ['aac', 3],
  ['pcmu', 3],
  ['pcma', 3],
])('%s beside the pictures decodes without an error', async (codec, seconds) => {
  const { path } = await movie({ seconds }, codec)
  const { audio, video, errors } = await decode(path)
  expect(errors).toEqual([])
  expect(video).toHaveLength(75)
  const last = audio.at(-1)!
  expect(audio[0]!.seconds).toBeLessThan(0.03)
  expect(last.seconds + last.durationSeconds).toBeGreaterThan(seconds - 0.1)
})

test('parts are no longer than was asked for, and decoding times never go back', async () => {
  for (const bframes of [0, 3]) {
    const { fragments, parts } = await movie({ gop: 100, seconds: 4, bframes })
    expect(parts.length).toBeGreaterThanOrEqual(4)
    let end = 0
    for (const bytes of fragments) {
      const track = readFragment(bytes)!.tracks.find(({ track }) => track === videoTrack)!
      expect(track.baseTime).toBeGreaterThanOrEqual(end - 1)
      end = track.baseTime + track.samples.reduce((sum, sample) => sum + sample.duration, 0)
      for (const sample of track.samples) expect(sample.duration).toBeGreaterThan(0)
    }
    expect(end / 90).toBeCloseTo(4_000, 0)
    for (const part of parts) expect(part.endMs - part.startMs).toBeLessThan(partMs + 300)
  }
})

test('the access units of a part come back as they went in', async () => {
  const { units, fragments } = await movie({ seconds: 1 })
  const bytes = fragments[0]!
  const { samples } = readFragment(bytes)!.tracks[0]!
  expect(samples.map((sample) => sample.keyframe)).toEqual(units.map((unit) => unit.keyframe))
  samples.forEach((sample, index) => {
    const expected = units[index]!.data.flatMap((nal) => [0, 0, nal.length >> 8, nal.length & 0xff, ...nal])
    expect([...bytes.subarray(sample.at, sample.at + sample.size)]).toEqual(expected)
  })
})

test('a part is moved on its timeline, and its sound taken out, without changing its size', async () => {
  const { fragments, init } = await movie({ seconds: 1 }, 'opus')
  const bytes = fragments[0]!.slice()
  const before = readFragment(bytes)!
  patchFragment(bytes, before, 77, (track) => (track === videoTrack ? 90_000 : undefined))
  const after = readFragment(bytes)!
  expect(after).toMatchObject({ sequence: 77, bytes: before.bytes })
  expect(after.tracks).toHaveLength(1)
  expect(after.tracks[0]!.baseTime).toBe(before.tracks[0]!.baseTime + 90_000)
  expect([...readInit(init)!.timescales]).toEqual([
    [1, 90_000],
    [2, 48_000],
  ])
})

test('a file cut off inside a picture plays up to its last whole part', async () => {
  const { init, fragments, parts } = await movie({ seconds: 3 })
  const whole = Buffer.concat([init, ...fragments])
  const path = join(await tempDir(), 'cut.mp4')
  await writeFile(path, whole.subarray(0, whole.length - fragments.at(-1)!.length + 5_000))
  const output = await promisify(execFile)(ffmpegPath(), ['-v', 'quiet', '-i', path, '-f', 'framecrc', '-'])
  const video = output.stdout.split('\n').filter((line) => line.startsWith('0,'))
  const expected = parts.slice(0, -1).reduce((sum, part) => sum + part.units.length, 0)
  expect(video.length).toBeGreaterThanOrEqual(expected)
})

test('VP8 and a keyframe without parameter sets give no init segment', async () => {
  const [unit] = await videoUnits({ seconds: 1 })
  expect(videoEntry({ ...unit!, codec: 'vp8' })).toBeUndefined()
  expect(videoEntry({ ...unit!, data: unit!.data.filter((nal) => ![7, 8].includes(nal[0]! & 31)) })).toBeUndefined()
})
