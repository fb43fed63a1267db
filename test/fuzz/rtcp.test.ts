import { parseRtcp, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const u32 = fc.nat({ max: 0xffffffff })

test('no bytes make the parser throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      parseRtcp(bytes)
    }),
    { numRuns: 2000 },
  )
})

test('bytes that look like feedback neither throw nor grow without bound', () => {
  const header = fc.tuple(
    fc.constantFrom(200, 201, 202, 203, 205, 206),
    fc.nat({ max: 31 }),
    fc.uint8Array({ maxLength: 256 }),
  )
  fc.assert(
    fc.property(header, ([packetType, count, body]) => {
      const words = body.length >> 2
      const bytes = new Uint8Array(4 + words * 4)
      bytes.set([0x80 | count, packetType, words >> 8, words & 255])
      bytes.set(body.subarray(0, words * 4), 4)
      for (const packet of parseRtcp(bytes)) {
        if (packet.type === 'twcc') expect(packet.arrivals.length).toBeLessThanOrEqual(0xffff)
      }
    }),
    { numRuns: 2000 },
  )
})

test('feedback of any arrivals comes back', () => {
  const delta = fc.option(fc.integer({ min: -0x8000, max: 0x7fff }), { nil: undefined })
  fc.assert(
    fc.property(
      u32,
      u32,
      fc.nat({ max: 0xffff }),
      fc.array(delta, { minLength: 1, maxLength: 200 }),
      (sender, media, base, deltas) => {
        let atUs = 64_000 * 200_000
        const arrivals = deltas.map((ticks, i) => {
          // The first arrival lies within one reference tick by construction of the format.
          if (ticks !== undefined) atUs += ticks * 250
          return { sequence: (base + i) & 0xffff, atUs: ticks === undefined ? undefined : atUs }
        })
        const packet: RtcpPacket = { type: 'twcc', sender, media, feedback: 7, arrivals }
        expect(parseRtcp(writeRtcp([packet]))).toEqual([packet])
      },
    ),
  )
})

test('a NACK of any ascending numbers comes back', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 60 }), (numbers) => {
      const lost = numbers.sort((a, b) => a - b)
      expect(parseRtcp(writeRtcp([{ type: 'nack', sender: 1, media: 2, lost }]))).toEqual([
        { type: 'nack', sender: 1, media: 2, lost },
      ])
    }),
  )
})
