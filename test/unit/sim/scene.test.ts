import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { isFirstSlice, nalType, parseSps, sliceType } from '@porchlight/proto/media/h264.ts'
import { describe, expect, test } from 'vitest'
import { readMp4 } from '../../sim/mp4-source.ts'
import { decodeBarcodes } from '../../support/decode.ts'

const path = (name: string) => fileURLToPath(new URL(`../../sim/scene/${name}`, import.meta.url))

describe.each([
  { name: 'main.mp4', width: 1280, height: 720, fps: 25, gop: 100, bytes: 2_500_000 },
  { name: 'sub.mp4', width: 320, height: 180, fps: 10, gop: 20, bytes: 300_000 },
])('$name', ({ name, width, height, fps, gop, bytes }) => {
  test('is small, Constrained Baseline, with closed groups of one length and no B-pictures', async () => {
    const file = await readFile(path(name))
    expect(file.length).toBeLessThan(bytes)
    const video = readMp4(file)
    expect(video).toMatchObject({ codec: 'h264', width, height })
    expect(video.samples.length / video.seconds).toBeCloseTo(fps, 5)
    const sps = parseSps(video.parameterSets[0]!)
    expect(sps?.profile).toBe(66)
    expect(sps!.compat & 0x40).toBe(0x40) // constraint_set1: Constrained Baseline
    for (const [index, sample] of video.samples.entries()) {
      expect(sample.keyframe).toBe(index % gop === 0)
      expect(sample.presentSeconds).toBe(sample.decodeSeconds)
      const slices = sample.nals.filter((nal) => [1, 5].includes(nalType(nal)))
      expect(slices).toHaveLength(1)
      expect(isFirstSlice(slices[0]!)).toBe(true)
      expect(sliceType(slices[0]!)).toBe(sample.keyframe ? 'I' : 'P')
    }
  })

  test('decodes without an error, and every picture shows its number, read at 320 pixels', async () => {
    const codes = await decodeBarcodes(path(name))
    const expected = codes.map((_, index) => Math.floor((index * 25) / fps))
    expect(codes).toEqual(expected)
    expect(codes).toHaveLength(40 * fps)
  })
})

test('the labels say when somebody is there, with ten seconds and more of emptiness in between', async () => {
  const labels = JSON.parse(await readFile(path('labels.json'), 'utf8'))
  expect(labels).toMatchObject({ duration_s: 40, fps: 25, frames: 1000 })
  const visits: [number, number][] = labels.present_s
  expect(visits).toHaveLength(2)
  for (const [index, [from, to]] of visits.entries()) {
    const [next] = visits[index + 1] ?? [40 + visits[0]![0]]
    expect(to).toBeGreaterThan(from)
    expect(next - to).toBeGreaterThan(12)
  }
})
