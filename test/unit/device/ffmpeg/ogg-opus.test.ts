import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OggOpusWriter, OggReader, opusSamples } from '../../../../device/ffmpeg/ogg-opus.ts'

/** A packet of 20 ms (CELT, full band), padded to a length. */
const packet = (length: number) => Uint8Array.from({ length }, (_, at) => (at === 0 ? 0xf8 : at & 0xff))

describe('Ogg Opus', () => {
  test('samples of a packet from its first byte (RFC 6716 §3.1)', () => {
    expect(opusSamples(Uint8Array.of(0xf8))).toBe(960) // CELT 20 ms, one frame
    expect(opusSamples(Uint8Array.of(0xf9))).toBe(1_920) // two frames
    expect(opusSamples(Uint8Array.of(0x18))).toBe(2_880) // SILK 60 ms
    expect(opusSamples(Uint8Array.of(0x68))).toBe(960) // hybrid 20 ms
    expect(opusSamples(Uint8Array.of(0xe3, 4))).toBe(480) // CELT 2.5 ms × 4
    expect(opusSamples(new Uint8Array(0))).toBe(0)
  })

  test('what is written is read again, in any pieces', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 1_200 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 900 }), (sizes, piece) => {
        const writer = new OggOpusWriter(1)
        const stream = Buffer.concat(sizes.map((size) => writer.packet(packet(size))))
        const read: Uint8Array[] = []
        const reader = new OggReader((one) => read.push(one))
        for (let at = 0; at < stream.length; at += piece) reader.push(stream.subarray(at, at + piece))
        expect(read.slice(0, 2).map((one) => Buffer.from(one.subarray(0, 8)).toString())).toEqual([
          'OpusHead',
          'OpusTags',
        ])
        expect(read.slice(2).map((one) => one.length)).toEqual(sizes)
      }),
      { numRuns: 50 },
    )
  })

  test('rubbish is skipped, and what is no Opus is not written', () => {
    const read: Uint8Array[] = []
    const reader = new OggReader((one) => read.push(one))
    reader.push(Buffer.from('rubbish OggOggS'.slice(0, 11)))
    reader.push(new OggOpusWriter(2).packet(packet(10)))
    expect(read).toHaveLength(3)
    expect(new OggOpusWriter(1).packet(new Uint8Array(0))).toHaveLength(0)
  })
})
