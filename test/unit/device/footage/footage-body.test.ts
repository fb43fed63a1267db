import { FootageDecoder } from '@porchlight/proto/footage.ts'
import { describe, expect, it } from 'vitest'
import { FootageBody, splitSpan } from '../../../../device/footage/footage-body.ts'
import type { Span } from '../../../../device/preroll/ring.ts'
import { numbers, pictures, sound } from '../frames.ts'

const span: Span = {
  videoFormat: { codec: 'h264', width: 640, height: 360 },
  audioFormat: { codec: 'pcmu', clockRate: 8_000, channels: 1 },
  units: pictures({ count: 60 }),
  audio: sound(120),
}

function readAll(body: FootageBody, maxBytes: number): Buffer {
  const parts: Uint8Array[] = []
  for (let offset = 0; ; ) {
    const piece = body.read(offset, maxBytes)
    if (piece === undefined) break
    parts.push(piece.bytes)
    offset += piece.bytes.byteLength
    if (piece.last) break
  }
  return Buffer.concat(parts)
}

describe('FootageBody', () => {
  it('is what the decoder reads', () => {
    const units: number[] = []
    const frames: number[] = []
    const runs: string[] = []
    const decoder = new FootageDecoder({
      header: ({ run }) => void runs.push(run),
      unit: (unit) => void units.push(unit.frame),
      audio: (frame) => void frames.push(frame.frame),
    })
    decoder.push(readAll(new FootageBody('boot-0001', span), 1_000))
    decoder.end()
    expect(runs).toEqual(['boot-0001'])
    expect(units).toEqual(numbers(span.units))
    expect(frames).toEqual(numbers(span.audio))
  })

  it('is the same from any offset, forwards and backwards', () => {
    const whole = readAll(new FootageBody('boot-0001', span), 1 << 20)
    const body = new FootageBody('boot-0001', span)
    for (const [offset, max] of [
      [0, 10],
      [5_000, 700],
      [5_100, 1],
      [3, 20_000],
      [whole.byteLength - 1, 50],
    ] as const) {
      const piece = body.read(offset, max)!
      expect(Buffer.compare(piece.bytes, whole.subarray(offset, offset + max))).toBe(0)
      expect(piece.last).toBe(offset + max >= whole.byteLength)
    }
    expect(body.read(whole.byteLength, 10)).toBeUndefined()
    expect(readAll(body, 333).equals(whole)).toBe(true)
  })
})

describe('splitSpan', () => {
  it('cuts ahead of keyframes, and gives each piece its own sound', () => {
    const pieces = splitSpan(span, 1_000)
    expect(pieces.map((piece) => piece.units[0]?.frame)).toEqual([0, 25, 50])
    expect(pieces.map((piece) => piece.audio[0]?.frame)).toEqual([0, 50, 100])
    expect(pieces.flatMap((piece) => numbers(piece.audio))).toEqual(numbers(span.audio))
    expect(splitSpan(span, 1_000_000)).toHaveLength(1)
    expect(splitSpan({ ...span, units: [] }, 1_000)).toEqual([])
  })
})
