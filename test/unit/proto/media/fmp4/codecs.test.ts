import { codecsText } from '@porchlight/proto/media/fmp4/codecs.ts'
import { initSegment } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { videoEntry } from '@porchlight/proto/media/fmp4/video-entry.ts'
import type { VideoCodec } from '@porchlight/proto/messages/cameras.ts'
import { expect, test } from 'vitest'
import { videoUnits } from '../../../../support/coded-samples.ts'

const opus = { codec: 'opus', clockRate: 48_000, channels: 1 } as const

async function init(codec: VideoCodec): Promise<Uint8Array> {
  const [keyframe] = await videoUnits({ codec, seconds: 1 })
  return initSegment(videoEntry(keyframe!)!, opus)
}

test.each<[VideoCodec, RegExp]>([
  ['h264', /^avc1\.42c0[0-9a-f]{2},opus$/],
  ['h265', /^hvc1\.1\.6\.L\d+\.[0-9a-f]{2},opus$/],
  ['vp9', /^vp09\.00\.\d{2}\.08,opus$/],
  ['av1', /^av01\.0\.\d{2}M\.08,opus$/],
])('%s is named as browsers are asked for it', async (codec, name) => {
  expect(codecsText(await init(codec))).toMatch(name)
})

test('AAC is named by its object type', async () => {
  const [keyframe] = await videoUnits({ seconds: 1 })
  const aac = (config?: Uint8Array) =>
    initSegment(videoEntry(keyframe!)!, { codec: 'aac', clockRate: 16_000, channels: 1, ...(config && { config }) })
  expect(codecsText(aac())).toMatch(/,mp4a\.40\.2$/)
  // HE-AAC that says so (SBR, object type 5)
  expect(codecsText(aac(Uint8Array.of(0x2b, 0x8a, 0x08, 0x00)))).toMatch(/,mp4a\.40\.5$/)
})

test('sound that no browser plays, and bytes that are no init segment, have no name', async () => {
  const [keyframe] = await videoUnits({ seconds: 1 })
  const entry = videoEntry(keyframe!)!
  expect(codecsText(initSegment(entry, { ...opus, codec: 'pcmu', clockRate: 8_000 }))).toBeUndefined()
  expect(codecsText(initSegment(entry, undefined))).toMatch(/^avc1\.[0-9a-f]{6}$/)
  expect(codecsText(Uint8Array.of(0, 0, 0, 8))).toBeUndefined()
})
