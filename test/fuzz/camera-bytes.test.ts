import { PorchlightError } from '@porchlight/proto/errors.ts'
import { parseAudioSpecificConfig, parseAuHeaders, splitAdts, splitLatm } from '@porchlight/proto/media/aac.ts'
import { VideoDepacketizer } from '@porchlight/proto/media/depacketizer.ts'
import * as h264 from '@porchlight/proto/media/h264.ts'
import * as h265 from '@porchlight/proto/media/h265.ts'
import { keyframeStart } from '@porchlight/proto/media/keyframe.ts'
import { parseRtp, writeRtp } from '@porchlight/proto/media/rtp.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { parseVp9Frame } from '@porchlight/proto/media/vp9.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccessUnitAssembler } from '../../device/camera/access-unit-assembler.ts'
import { AnnexBReader } from '../../device/camera/annexb-reader.ts'
import { parseChallenges } from '../../device/camera/rtsp/auth.ts'
import { RtspParser } from '../../device/camera/rtsp/messages.ts'
import { parseTransport } from '../../device/camera/rtsp/transport.ts'
import { controlBases, parseAddress, resolveControl } from '../../device/camera/rtsp/urls.ts'
import { chooseTracks } from '../../device/camera/tracks.ts'

const bytes = fc.uint8Array({ maxLength: 400 })
const codecs = ['h264', 'h265', 'vp8', 'vp9', 'av1'] as const
const line = fc.oneof(
  fc.constantFrom('v=0', 'm=video 0 RTP/AVP 96', 'm=audio 0 RTP/AVP 0 8', 'a=rtpmap:96 H264/90000', 'a=sendonly'),
  fc.string({ maxLength: 60 }),
  fc
    .tuple(fc.constantFrom('a=fmtp:96 ', 'a=rtpmap:', 'a=extmap:', 'm=', 'c=', 'b=', 'a='), fc.string())
    .map((two) => two.join('')),
)

/** Only coded errors may leave a parser. */
function coded(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(PorchlightError)
  }
}

describe('bytes of cameras and peers', () => {
  it('RTP: never throws; what is written is read back', () => {
    fc.assert(fc.property(bytes, (input) => void parseRtp(input)))
    const extension = fc.record({
      id: fc.integer({ min: 1, max: 14 }),
      data: fc.uint8Array({ minLength: 1, maxLength: 16 }),
    })
    const whole = fc.record({
      marker: fc.boolean(),
      payloadType: fc.integer({ min: 0, max: 127 }),
      sequence: fc.integer({ min: 0, max: 0xffff }),
      timestamp: fc.integer({ min: 0, max: 0xffffffff }),
      ssrc: fc.integer({ min: 0, max: 0xffffffff }),
      extensions: fc.array(extension, { maxLength: 4 }),
      payload: bytes,
    })
    fc.assert(
      fc.property(whole, (packet) => {
        expect(parseRtp(writeRtp(packet))).toEqual(packet)
      }),
    )
  })

  it('SDP: nothing but coded errors, for cameras and for WebRTC', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) =>
        coded(() => chooseTracks(parseSdp(lines.join('\r\n')))),
      ),
    )
  })

  it('RTSP: any bytes in any pieces, bounded and without an end', () => {
    const piece = fc.oneof(
      bytes,
      fc
        .constantFrom(
          'RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n',
          'OPTIONS * RTSP/1.0\r\n\r\n',
          'RTSP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nab',
        )
        .map((text) => new Uint8Array(Buffer.from(text))),
      fc
        .uint8Array({ minLength: 12, maxLength: 40 })
        .map((data) => Uint8Array.of(0x24, 0, 0, data.length + 1, 0x80, ...data)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.boolean(), (pieces, known) => {
        const parser = new RtspParser()
        if (known) parser.expectChannels(new Set([0, 1]))
        for (const one of pieces) parser.push(one)
      }),
    )
  })

  it('RTSP: an answer is found again behind any garbage', () => {
    fc.assert(
      fc.property(bytes, (garbage) => {
        const parser = new RtspParser()
        parser.expectChannels(new Set([0, 1]))
        parser.push(new Uint8Array(Buffer.concat([garbage, Buffer.from('\r\n')])))
        // what garbage began may eat one message and the bytes of a plausible length, no more
        const answer = new Uint8Array(Buffer.from('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n'))
        let found = 0
        for (let index = 0; index < 12_000 && found === 0; index += 1)
          found += parser.push(answer).filter((item) => item.kind === 'response').length
        expect(found).toBeGreaterThan(0)
      }),
      { numRuns: 50 },
    )
  })

  it('small header parsers never throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        parseTransport(one)
        parseChallenges(one)
        parseAddress(one)
        for (const base of controlBases(`rtsp://camera/${two}`, one, two)) resolveControl(base, one)
      }),
    )
  })

  it('depacketizers and bitstream parsers never throw', () => {
    const packet = fc.tuple(bytes, fc.boolean(), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 6 }))
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 20 }), fc.constantFrom(...codecs), (packets, codec) => {
        const depacketizer = new VideoDepacketizer(codec)
        for (const [payload, marker, timestamp, sequence] of packets) {
          depacketizer.push(payload, marker, timestamp, sequence)
          keyframeStart(codec, payload)
        }
        if (codec !== 'h264' && codec !== 'h265') return
        const assembler = new AccessUnitAssembler(codec, { picture: () => undefined, facts: () => undefined })
        for (const [payload, marker, timestamp, lost] of packets) {
          assembler.push({ marker, payloadType: 96, sequence: 0, timestamp, ssrc: 1, extensions: [], payload }, lost)
        }
      }),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        for (const nal of h264.splitAnnexB(input)) {
          h264.parseSps(nal)
          h264.sliceType(nal)
          h264.parsePpsIds(nal)
          h265.parseSps(nal)
        }
        h264.parseSps(Uint8Array.of(0x67, ...input))
        h265.parseSps(Uint8Array.of(0x42, 1, ...input))
        parseVp9Frame(input)
        parseAudioSpecificConfig(input)
        parseAuHeaders(input, { sizeLength: 13, indexLength: 3, indexDeltaLength: 3 })
        splitAdts(input)
        splitLatm(input)
      }),
    )
  })

  it('an Annex B stream gives the same NAL units in any pieces', () => {
    const nal = fc.uint8Array({ minLength: 2, maxLength: 30 }).map((data) => data.map((byte) => byte | 0x11))
    fc.assert(
      fc.property(fc.array(nal, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 20 }), (nals, size) => {
        const stream = h264.joinAnnexB(nals)
        const out: Uint8Array[] = []
        const reader = new AnnexBReader((one) => out.push(one))
        for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size), 0)
        reader.flush()
        expect(out).toEqual(nals)
      }),
    )
  })
})
