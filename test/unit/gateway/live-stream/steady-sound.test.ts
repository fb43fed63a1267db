import type { AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { expect, test } from 'vitest'
import { SteadySound } from '../../../../gateway/live-stream/steady-sound.ts'

const packet = Uint8Array.of(1)
const frame = (captureMs: number): AudioFrame => ({
  ...{ codec: 'opus', frame: 0, captureMs, clockRate: 48_000, channels: 1, samples: 960, data: packet },
})
const frames = (from: number, to: number) =>
  Array.from({ length: (to - from) / 20 }, (_, index) => frame(from + index * 20))
const part = (startMs: number, audio: AudioFrame[], endMs = startMs + 200) => ({
  ...{ run: 'run-1', units: [], startMs, endMs, audio },
})
const heard = (row: readonly AudioFrame[]) => row.map(({ captureMs, data }) => [captureMs, data === packet])

test('sound that comes in time passes as it is', () => {
  const sound = new SteadySound()
  expect(sound.fill(part(0, frames(0, 200)))).toEqual(frames(0, 200))
  expect(sound.fill(part(200, frames(200, 400)))).toEqual(frames(200, 400))
})

test('a hole is filled with silence', () => {
  const sound = new SteadySound()
  sound.fill(part(0, frames(0, 100)))
  expect(heard(sound.fill(part(200, frames(160, 200))))).toEqual([
    [100, false],
    [120, false],
    [140, false],
    [160, true],
    [180, true],
  ])
})

test('a microphone that falls silent holds the pictures up by no more than a second; what comes too late is left out', () => {
  const sound = new SteadySound()
  let reachesMs = 0
  for (let startMs = 0; startMs < 4_000; startMs += 200) {
    for (const { captureMs } of sound.fill(part(startMs, []))) {
      expect(captureMs).toBe(reachesMs)
      reachesMs += 20
    }
    expect(startMs + 200 - reachesMs).toBeLessThan(1_020)
  }
  const late = sound.fill(part(4_000, frames(2_000, 4_000)))
  expect(late[0]!.captureMs).toBe(reachesMs)
  expect(late.every(({ data }) => data === packet)).toBe(true)
})

test('where the camera itself was gone for long, nothing is filled', () => {
  const sound = new SteadySound()
  sound.fill(part(0, frames(0, 200)))
  expect(sound.fill(part(60_000, frames(60_000, 60_200)))).toEqual(frames(60_000, 60_200))
})
