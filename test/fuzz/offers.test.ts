import { PorchlightError } from '@porchlight/proto/errors.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeAnswer } from '../../gateway/signaling/answer-sdp.ts'
import { planPublisher } from '../../gateway/signaling/publisher-offer.ts'
import { planViewer } from '../../gateway/signaling/viewer-offer.ts'
import { remoteOfferSdp } from '../../gateway/webrtc/remote-offer.ts'
import { fingerprint } from '../support/fake-engine.ts'
import { h264Line, opusLine, whipHead } from '../support/whip-offer.ts'

const local = {
  iceUfrag: 'gate',
  icePwd: 'gategategategategategate',
  fingerprint: fingerprint('BB'),
  setup: 'active' as const,
  candidates: [],
}
const codes = ['sdp_invalid', 'sdp_mismatch', 'offer_unsupported', 'codec_unsupported']
const none = { frameNumberId: undefined, captureTimeId: undefined, transportCcId: undefined }
const h264 = {
  kind: 'video',
  codec: 'h264',
  payloadType: 96,
  clockRate: 90_000,
  channels: 1,
  fmtp: '',
  ...none,
} as const
const producer = { video: { format: h264 }, audio: undefined, talk: undefined } as unknown as Parameters<
  typeof planViewer
>[1]

/**
 * Either the offer is planned, and then what we write from it (our answer, and the words for the engine) has just as many
 * lines as it was planned with; or a coded error says why not.
 */
function survives(plan: (offer: string) => ReturnType<typeof planPublisher> | ReturnType<typeof planViewer>) {
  return (offer: string): void => {
    try {
      const { sections, tracks, remote } = plan(offer)
      expect(parseSdp(writeAnswer(sections, local)).media).toHaveLength(sections.length)
      const words = remoteOfferSdp(remote, tracks)
      expect(parseSdp(words).media).toHaveLength(tracks.length)
      expect(words).not.toMatch(/[^\r]\n|\r[^\n]/)
    } catch (error) {
      expect(error).toBeInstanceOf(PorchlightError)
      expect(codes).toContain((error as PorchlightError).code)
    }
  }
}

const known = [...whipHead('v', 'a'), ...h264Line, ...opusLine]
/** Lines that nearly fit, in any order and number. */
const nearly = fc.array(
  fc.oneof(
    fc.constantFrom(...known, 'a=bundle-only', 'a=recvonly', 'm=video 0 UDP/TLS/RTP/SAVPF 96', 'a=group:BUNDLE'),
    fc
      .tuple(
        fc.constantFrom(
          'mid',
          'rtpmap',
          'fmtp',
          'ssrc',
          'extmap',
          'rtcp-fb',
          'group',
          'ice-ufrag',
          'candidate',
          'setup',
        ),
        fc.string({ maxLength: 40 }),
      )
      .map(([name, value]) => `a=${name}:${value}`),
    fc.string({ maxLength: 40 }).map((text) => `m=${text}`),
  ),
  { maxLength: 40 },
)
/** A whole offer with some lines changed, gone or twice. */
const changed = fc
  .array(fc.tuple(fc.nat(known.length - 1), fc.oneof(fc.constant(''), fc.string({ maxLength: 60 }))), { maxLength: 4 })
  .map((changes) => {
    const lines = [...known]
    for (const [at, text] of changes)
      lines[at] = text.length > 30 ? `${lines[at]}\r\n${lines[at]}` : `${lines[at]}${text}`
    return lines.join('\r\n')
  })

describe.each([
  ['WHIP', survives(planPublisher)],
  ['WHEP', survives((offer) => planViewer(offer.replaceAll('a=sendonly', 'a=recvonly'), producer))],
])('%s offers', (_, check) => {
  it('survives any text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 400 }), check), { numRuns: 300 })
  })

  it('survives lines that nearly fit', () => {
    fc.assert(
      fc.property(nearly, (lines) => check(lines.join('\r\n'))),
      { numRuns: 1_000 },
    )
  })

  it('survives an offer with lines changed', () => {
    fc.assert(fc.property(changed, check), { numRuns: 1_000 })
  })
})
