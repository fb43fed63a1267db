import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { expect, test } from 'vitest'
import { type Part, PartBuilder } from '../../../../gateway/recorder/part-builder.ts'

const data = [Uint8Array.of(0x65)]
const unit = (frame: number, captureMs: number, keyframe = false): AccessUnit => ({
  ...{ codec: 'h264', frame, captureMs, keyframe, reference: true, data },
})
const sound = (captureMs: number): AudioFrame => ({
  ...{ codec: 'opus', frame: captureMs / 20, captureMs, clockRate: 48_000, channels: 1, samples: 960, data: data[0]! },
})

function build(run: (builder: PartBuilder) => void): Part[] {
  const parts: Part[] = []
  const builder = new PartBuilder((part) => parts.push(part))
  builder.run('run-1')
  run(builder)
  builder.flush()
  return parts
}
const shape = (parts: readonly Part[]) =>
  parts.map(({ units, startMs, endMs }) => [units[0]!.frame, units.at(-1)!.frame, startMs, endMs])

test('a part is a group of pictures; one longer than 5 s is cut, and so it is where a number is missing', () => {
  const parts = build((builder) => {
    for (let frame = 0; frame < 360; frame += 1)
      if (frame !== 300) builder.unit(unit(frame, frame * 40, frame % 250 === 0 || frame === 100))
  })
  expect(shape(parts)).toEqual([
    [0, 99, 0, 4_000],
    [100, 224, 4_000, 9_000],
    [225, 249, 9_000, 10_000],
    [250, 299, 10_000, 12_000],
    [301, 359, 12_040, 14_400],
  ])
})

test('with B-frames a part ends only where the pictures shown are complete', () => {
  // decoded I P B b b P B b b …: shown 0 4 2 1 3 8 6 5 7 …
  const parts = build((builder) => {
    builder.unit(unit(0, 0, true))
    for (let group = 0; group < 70; group += 1) {
      for (const [index, offset] of [4, 2, 1, 3].entries())
        builder.unit(unit(1 + group * 4 + index, (group * 4 + offset) * 40))
    }
  })
  for (const [index, part] of parts.entries()) {
    const shown = part.units.map((one) => one.captureMs).toSorted((a, b) => a - b)
    expect(part.startMs).toBe(shown[0])
    expect(part.endMs).toBe(shown.at(-1)! + 40)
    const next = parts[index + 1]
    if (next) expect(next.startMs).toBe(part.endMs)
  }
  expect(parts.length).toBe(3)
})

test('sound goes with the pictures of its time; what is older than the first picture is left out', () => {
  const parts = build((builder) => {
    for (let time = 0; time < 10_000; time += 20) {
      builder.audioFrame(sound(time))
      if (time >= 400 && time % 40 === 0) builder.unit(unit(time / 40, time, time === 400))
    }
  })
  expect(parts.map(({ audio }) => [audio[0]!.captureMs, audio.at(-1)!.captureMs])).toEqual([
    [400, 5_380],
    [5_400, 9_980],
  ])
})

test('sound that comes late goes with the next part, once', () => {
  const parts = build((builder) => {
    for (let frame = 0; frame < 300; frame += 1) {
      builder.unit(unit(frame, frame * 40, frame === 0))
      if (frame >= 10) for (const half of [0, 20]) builder.audioFrame(sound((frame - 10) * 40 + half))
    }
  })
  const times = parts.flatMap(({ audio }) => audio.map((frame) => frame.captureMs))
  expect(times).toEqual(Array.from({ length: 580 }, (_, index) => index * 20))
})

test('a long silence of the camera is not one long picture', () => {
  const parts = build((builder) => {
    builder.unit(unit(0, 0, true))
    builder.unit(unit(1, 40))
    builder.unit(unit(2, 60_000))
  })
  expect(shape(parts)).toEqual([
    [0, 1, 0, 80],
    [2, 2, 60_000, 60_040],
  ])
})
