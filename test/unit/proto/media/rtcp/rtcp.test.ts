import { parseRtcp, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { describe, expect, test } from 'vitest'

const report = {
  ssrc: 0xdeadbeef,
  fractionLost: 12,
  packetsLost: -3,
  highestSequence: 0x0001fffe,
  jitter: 77,
  lastSr: 0xfedcba98,
  delaySinceLastSr: 65536,
}

const packets: RtcpPacket[] = [
  {
    type: 'sr',
    ssrc: 1,
    ntp: 0xe8_00_00_01_80_00_00_00n,
    rtp: 0xffffffff,
    packets: 9,
    octets: 1000,
    reports: [report],
  },
  { type: 'rr', ssrc: 0xffffffff, reports: [report, { ...report, packetsLost: 70000 }] },
  {
    type: 'sdes',
    chunks: [
      { ssrc: 5, cname: 'porch' },
      { ssrc: 6, cname: 'ab' },
    ],
  },
  { type: 'bye', ssrcs: [5, 6] },
  { type: 'pli', sender: 1, media: 2 },
  { type: 'fir', sender: 1, requests: [{ ssrc: 0x80000001, sequence: 255 }] },
  { type: 'nack', sender: 1, media: 2, lost: [65530, 65535, 0, 3, 200, 201] },
  { type: 'remb', sender: 1, bitrate: 1_048_576, ssrcs: [2, 3] },
]

describe('RTCP', () => {
  test.each(packets)('$type comes back as it was written', (packet) => {
    expect(parseRtcp(writeRtcp([packet]))).toEqual([packet])
  })

  test('a compound packet is taken apart in order (RFC 3550 §6.1)', () => {
    expect(parseRtcp(writeRtcp(packets))).toEqual(packets)
  })

  test('a NACK of Chromium: PID and bit mask (RFC 4585 §6.2.1)', () => {
    const bytes = Buffer.from('81cd000300000001000000020064 8001'.replaceAll(' ', ''), 'hex')
    expect(parseRtcp(bytes)).toEqual([{ type: 'nack', sender: 1, media: 2, lost: [100, 101, 116] }])
  })

  test('padding is not read as content (RFC 3550 §6.4.1)', () => {
    const bytes = Buffer.from('a1ce0003000000010000000200000004', 'hex')
    expect(parseRtcp(bytes)).toEqual([{ type: 'pli', sender: 1, media: 2 }])
  })

  test('unknown kinds are left out, what follows is read', () => {
    const app = Buffer.from('80cc000200000001706f7263', 'hex')
    const pli = writeRtcp([{ type: 'pli', sender: 1, media: 2 }])
    expect(parseRtcp(Buffer.concat([app, pli]))).toEqual([{ type: 'pli', sender: 1, media: 2 }])
  })

  test('a length that does not fit ends the parsing', () => {
    const pli = writeRtcp([{ type: 'pli', sender: 1, media: 2 }])
    expect(parseRtcp(Buffer.concat([pli, pli.subarray(0, 8)]))).toHaveLength(1)
    expect(parseRtcp(new Uint8Array([0x80, 200, 0, 0]))).toEqual([])
  })
})

describe('transport-wide feedback', () => {
  test('small, large and negative deltas, holes and long runs come back', () => {
    const arrivals = [
      { sequence: 65534, atUs: 64_000 * 5 + 250 },
      { sequence: 65535, atUs: undefined },
      { sequence: 0, atUs: 64_000 * 5 + 1000 },
      { sequence: 1, atUs: 64_000 * 5 + 500 },
      { sequence: 2, atUs: 64_000 * 9 },
      ...Array.from({ length: 40 }, (_, i) => ({ sequence: 3 + i, atUs: 64_000 * 9 + i * 1000 })),
    ]
    const packet: RtcpPacket = { type: 'twcc', sender: 1, media: 2, feedback: 200, arrivals }
    expect(parseRtcp(writeRtcp([packet]))).toEqual([packet])
  })

  test('is padded to 32 bits with the padding bit set', () => {
    const arrivals = [{ sequence: 1, atUs: 0 }]
    const bytes = writeRtcp([{ type: 'twcc', sender: 1, media: 2, feedback: 0, arrivals }])
    expect(bytes.length % 4).toBe(0)
    expect(bytes[0]! & 0x20).toBe(0x20)
    expect(bytes.at(-1)).toBe(1)
  })

  test('one-bit status vectors are understood (§3.1.4)', () => {
    // base 10, 4 packets, reference 1, vector 1 0 1 1, deltas 4 × 250 µs each
    const bytes = Buffer.from(
      '8fcd0006 00000001 00000002 000a0004 00000100 ac000404 04000000'.replaceAll(' ', ''),
      'hex',
    )
    const [packet] = parseRtcp(bytes)
    expect(packet).toMatchObject({
      type: 'twcc',
      arrivals: [
        { sequence: 10, atUs: 65_000 },
        { sequence: 11, atUs: undefined },
        { sequence: 12, atUs: 66_000 },
        { sequence: 13, atUs: 67_000 },
      ],
    })
  })

  test('arrivals too far apart are refused', () => {
    const arrivals = [
      { sequence: 1, atUs: 0 },
      { sequence: 2, atUs: 9_000_000 },
    ]
    expect(() => writeRtcp([{ type: 'twcc', sender: 1, media: 2, feedback: 0, arrivals }])).toThrow(RangeError)
  })
})
