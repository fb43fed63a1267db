import { VideoDepacketizer } from '@porchlight/proto/media/depacketizer.ts'
import { keyframeStart } from '@porchlight/proto/media/keyframe.ts'
import { packetizeVideo } from '@porchlight/proto/media/packetizer.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

type Codec = 'h264' | 'h265' | 'vp8' | 'vp9' | 'av1'

function unit(codec: Codec, data: Uint8Array[], keyframe = false) {
  return { codec, frame: 0, captureMs: 0, keyframe, reference: true, data }
}

function nal(size: number, ...head: number[]): Uint8Array {
  const bytes = new Uint8Array(size).fill(0xa5)
  bytes.set(head)
  return bytes
}

function roundTrip(codec: Codec, data: Uint8Array[], keyframe: boolean, limit: number) {
  const payloads = packetizeVideo(unit(codec, data, keyframe), limit)
  for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(limit)
  const depacketizer = new VideoDepacketizer(codec)
  let out: Uint8Array[] | undefined
  payloads.forEach((payload, index) => {
    expect(out).toBeUndefined()
    out = depacketizer.push(payload, index === payloads.length - 1, 1234, (65530 + index) & 0xffff)
  })
  return { payloads, out }
}

describe('H.264 (RFC 6184)', () => {
  const sps = nal(20, 0x67, 0x42)
  const pps = nal(5, 0x68)

  it('joins parameter sets in a STAP-A and cuts the IDR into FU-A', () => {
    const idr = nal(3000, 0x65, 0x88)
    const { payloads, out } = roundTrip('h264', [sps, pps, idr], true, 1100)
    expect(payloads[0]![0]! & 0x1f).toBe(24) // §5.7.1
    expect(payloads[0]![0]! & 0x60).toBe(0x60) // highest nal_ref_idc of the units inside
    expect(payloads.slice(1).map((payload) => payload[0]! & 0x1f)).toEqual([28, 28, 28]) // §5.8
    expect(payloads[1]![1]! & 0xc0).toBe(0x80)
    expect(payloads[3]![1]! & 0xc0).toBe(0x40)
    expect(out).toEqual([sps, pps, idr])
    expect(keyframeStart('h264', payloads[0]!)).toBe(true)
    expect(payloads.slice(2).some((payload) => keyframeStart('h264', payload))).toBe(false)
  })

  it('sends a small slice as a single NAL unit and leaves delimiters and filler out', () => {
    const slice = nal(400, 0x41, 0x9a)
    const { payloads, out } = roundTrip('h264', [nal(2, 0x09, 0xf0), slice, nal(30, 0x0c, 0xff)], false, 1100)
    expect(payloads).toEqual([slice])
    expect(out).toEqual([slice])
    expect(keyframeStart('h264', slice)).toBe(false)
  })

  it('drops a picture that a lost packet tears, and takes the next', () => {
    const payloads = packetizeVideo(unit('h264', [nal(3000, 0x41, 0x9a)]), 1100)
    const depacketizer = new VideoDepacketizer('h264')
    expect(depacketizer.push(payloads[0]!, false, 1, 10)).toBeUndefined()
    expect(depacketizer.push(payloads[2]!, true, 1, 12)).toBeUndefined()
    expect(depacketizer.push(nal(50, 0x41, 0x9a), true, 2, 13)).toHaveLength(1)
  })

  it('does not take a second slice for a whole picture when the first was lost', () => {
    const depacketizer = new VideoDepacketizer('h264')
    depacketizer.push(nal(50, 0x41, 0x9a), true, 1, 10)
    // first_mb_in_slice is not 0: the packet before belonged to it
    expect(depacketizer.push(nal(50, 0x41, 0x1a), true, 2, 12)).toBeUndefined()
  })
})

describe('every codec', () => {
  it('comes out as it went in, at any limit', () => {
    const body = fc.uint8Array({ minLength: 1, maxLength: 4000 })
    const limit = fc.integer({ min: 64, max: 1400 })
    fc.assert(
      fc.property(
        body,
        fc.array(body, { minLength: 1, maxLength: 4 }),
        limit,
        fc.boolean(),
        (seed, bodies, size, key) => {
          const clean = (bytes: Uint8Array) => bytes.map((byte) => byte | 0x10) // no start codes inside
          const h264 = bodies.map((bytes) => Uint8Array.of(key ? 0x65 : 0x41, 0x80, ...clean(bytes)))
          expect(roundTrip('h264', h264, key, size).out).toEqual(h264)
          const h265 = bodies.map((bytes) => Uint8Array.of((key ? 19 : 1) << 1, 1, 0x80, ...clean(bytes)))
          expect(roundTrip('h265', h265, key, size).out).toEqual(h265)
          expect(roundTrip('vp8', [seed], key, size).out).toEqual([seed])
          expect(roundTrip('vp9', [seed], key, size).out).toEqual([seed])
        },
      ),
      { numRuns: 100 },
    )
  })

  it('AV1: OBUs keep their bytes and get their size fields back', () => {
    const body = fc.uint8Array({ minLength: 1, maxLength: 3000 })
    fc.assert(
      fc.property(
        fc.array(body, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 64, max: 1400 }),
        (bodies, size) => {
          const obus = bodies.map((bytes) => {
            const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
            return Uint8Array.of(0x32, ...length, ...bytes)
          })
          const whole = Uint8Array.from(obus.flatMap((obu) => [...obu]))
          const delimiter = [0x12, 0x00]
          const { payloads, out } = roundTrip('av1', [Uint8Array.of(...delimiter, ...whole)], true, size)
          expect(out).toEqual([whole])
          expect(keyframeStart('av1', payloads[0]!)).toBe(true)
          expect(payloads.slice(1).some((payload) => keyframeStart('av1', payload))).toBe(false)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('knows the start of a keyframe by the descriptor', () => {
    const key = (codec: Codec, data: Uint8Array, keyframe: boolean) =>
      keyframeStart(codec, packetizeVideo(unit(codec, [data], keyframe), 1000)[0]!)
    expect(key('vp8', Uint8Array.of(0x10, 0, 0, 0x9d), true)).toBe(true)
    expect(key('vp8', Uint8Array.of(0x11, 0, 0), false)).toBe(false)
    expect(key('vp9', Uint8Array.of(0x82, 0x49), true)).toBe(true)
    expect(key('vp9', Uint8Array.of(0x86, 0), false)).toBe(false)
    expect(key('h265', nal(100, 0x26, 0x01, 0x80), true)).toBe(true)
    expect(key('h265', nal(2000, 0x26, 0x01, 0x80), true)).toBe(true)
    expect(key('h265', nal(100, 0x02, 0x01, 0x80), false)).toBe(false)
  })
})
