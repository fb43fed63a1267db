import {
  isRtcp,
  msFromNtp,
  ntpFromMs,
  parseRtp,
  SequenceUnwrapper,
  TimestampUnwrapper,
  writeRtp,
} from '@porchlight/proto/media/rtp.ts'
import {
  readAbsCaptureTime,
  readFrameNumber,
  writeAbsCaptureTime,
  writeFrameNumber,
} from '@porchlight/proto/media/rtp-extensions.ts'
import { describe, expect, it } from 'vitest'

describe('RTP (RFC 3550 §5.1)', () => {
  it('takes CSRC, a two-byte extension (RFC 8285 §4.3) and padding off', () => {
    const bytes = Uint8Array.from([
      ...[0xb1, 0xe0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 5, 1, 1, 1, 1],
      ...[0x10, 0, 0, 2, 200, 3, 1, 2, 3, 0, 0, 0],
      ...[42, 43, 0, 2],
    ])
    expect(parseRtp(bytes)).toEqual({
      ...{ marker: true, payloadType: 96, sequence: 7, timestamp: 9, ssrc: 5 },
      extensions: [{ id: 200, data: Uint8Array.of(1, 2, 3) }],
      payload: Uint8Array.of(42, 43),
    })
  })

  it('refuses what is malformed', () => {
    const good = writeRtp({
      marker: false,
      payloadType: 0,
      sequence: 0,
      timestamp: 0,
      ssrc: 0,
      extensions: [],
      payload: Uint8Array.of(9),
    })
    for (const [at, value] of [
      [0, 0x40], // version 1
      [0, 0x8f], // more CSRC than bytes
      [0, 0x90], // an extension that is not there
      [0, 0xa0], // padding of 9 bytes
    ] as const) {
      const bad = good.slice()
      bad[at] = value
      expect(parseRtp(bad)).toBeUndefined()
    }
    expect(parseRtp(good.subarray(0, 11))).toBeUndefined()
  })

  it('tells RTCP apart (RFC 5761 §4)', () => {
    expect([200, 201, 205, 206].map((type) => isRtcp(Uint8Array.of(0x80, type)))).toEqual([true, true, true, true])
    expect([96, 96 + 128, 0, 111 + 128].map((type) => isRtcp(Uint8Array.of(0x80, type)))).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it('unwraps numbers and timestamps, steps back included', () => {
    const sequence = new SequenceUnwrapper()
    const values = [65_534, 65_535, 1, 0, 2].map((value) => sequence.unwrap(value))
    expect(values.map((value) => value - values[0]!)).toEqual([0, 1, 3, 2, 4])
    const timestamp = new TimestampUnwrapper()
    const ticks = [4_294_967_000, 4, 4_294_967_290, 3_000].map((value) => timestamp.unwrap(value))
    expect(ticks.map((value) => value - ticks[0]!)).toEqual([0, 300, 290, 3_296])
  })

  it('carries frame number and capture time', () => {
    const ms = 1_795_158_225_920.25
    expect(msFromNtp(ntpFromMs(ms))).toBeCloseTo(ms, 2)
    expect(msFromNtp(ntpFromMs(2_200_000_000_000))).toBeCloseTo(2_200_000_000_000, 2) // past 2036: era 1
    const extensions = [
      { id: 1, data: writeFrameNumber(0xfffffffe) },
      { id: 2, data: writeAbsCaptureTime(ms) },
    ]
    const parsed = parseRtp(
      writeRtp({
        marker: true,
        payloadType: 96,
        sequence: 1,
        timestamp: 2,
        ssrc: 3,
        extensions,
        payload: new Uint8Array(3),
      }),
    )!
    expect(readFrameNumber(parsed.extensions)).toBe(0xfffffffe)
    expect(readAbsCaptureTime(parsed.extensions)).toBeCloseTo(ms, 2)
    expect(readFrameNumber([])).toBeUndefined()
  })
})
