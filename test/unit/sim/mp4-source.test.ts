import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readMp4 } from '../../sim/mp4-source.ts'
import { ffmpegPath } from '../../support/decode.ts'
import { tempDir } from '../../support/temp-dir.ts'

async function make(...options: string[]): Promise<Uint8Array> {
  const file = join(await tempDir(), 'made.mp4')
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=20:duration=2']
  const sound = ['-f', 'lavfi', '-i', 'sine=440:duration=2', '-c:a', 'aac', '-shortest', '-pix_fmt', 'yuv420p']
  await promisify(execFile)(ffmpegPath(), ['-v', 'error', ...source, ...sound, ...options, file])
  return readFile(file)
}

describe('MP4 source', () => {
  test('B-pictures keep decode and presentation order apart', async () => {
    const video = readMp4(
      await make('-c:v', 'libx264', '-bf', '2', '-g', '10', '-preset', 'ultrafast', '-x264-params', 'b-adapt=0'),
    )
    expect(video.samples).toHaveLength(40)
    const decode = video.samples.map((sample) => sample.decodeSeconds)
    const present = video.samples.map((sample) => sample.presentSeconds)
    expect(decode).toEqual([...decode].sort((a, b) => a - b))
    expect(present).not.toEqual([...present].sort((a, b) => a - b))
    expect(new Set(present.map((seconds) => Math.round(seconds * 20))).size).toBe(40)
    expect(video.samples[0]!.keyframe).toBe(true)
    expect(video.samples.filter((sample) => sample.keyframe).every((sample) => (sample.nals[0]![0]! & 31) === 7)).toBe(
      true,
    )
  })

  test('H.265 comes with its three parameter sets; sound beside it is left alone', async () => {
    const bytes = await make(
      '-c:v',
      'libx265',
      '-x265-params',
      'log-level=error',
      '-preset',
      'ultrafast',
      '-tag:v',
      'hvc1',
    )
    const video = readMp4(bytes)
    expect(video).toMatchObject({ codec: 'h265', width: 320, height: 240 })
    expect(video.parameterSets.map((set) => (set[0]! >> 1) & 0x3f)).toEqual([32, 33, 34])
    expect(video.samples).toHaveLength(40)
  })

  test('what is no MP4, or cut short, is refused with a reason', async () => {
    expect(() => readMp4(new Uint8Array(100))).toThrow(/no box moov/)
    const bytes = await make('-c:v', 'libx264', '-movflags', '+faststart', '-preset', 'ultrafast')
    expect(() => readMp4(bytes.subarray(0, bytes.length - 5000))).toThrow()
  })
})
