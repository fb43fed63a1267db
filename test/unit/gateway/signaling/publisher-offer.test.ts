import { describe, expect, test } from 'vitest'
import { planPublisher } from '../../../../gateway/signaling/publisher-offer.ts'
import { h264Line, opusLine, plainWhipOffer, whipHead, whipLine, whipOffer } from '../../../support/whip-offer.ts'

const failure = (offer: string) => {
  try {
    planPublisher(offer)
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('planPublisher', () => {
  test('takes picture and sound, and asks only for what was offered', () => {
    const plan = planPublisher(plainWhipOffer)
    expect(plan.video.format).toMatchObject({ codec: 'h264', payloadType: 96, frameNumberId: undefined })
    expect(plan.audio?.format).toMatchObject({ codec: 'opus', payloadType: 111, channels: 2 })
    expect(plan.sections.map(({ accepted }) => accepted?.direction)).toEqual(['recvonly', 'recvonly'])
    expect(plan.sections[0]?.accepted?.payloads[0]?.feedback).toEqual(['nack pli'])
    expect(plan.tracks.map(({ remoteSsrcs }) => remoteSsrcs)).toEqual([[1111], [2222]])
  })

  test.each([
    [{ 96: 'VP8/90000', 98: 'VP9/90000', 45: 'AV1/90000' }, 'vp9'],
    [{ 96: 'VP8/90000', 45: 'AV1/90000' }, 'av1'],
    [{ 96: 'H265/90000', 97: 'VP8/90000' }, 'vp8'],
    [{ 96: 'VP8/90000', 102: 'H264/90000' }, 'h264'],
    [{ 49: 'H265/90000' }, 'h265'],
  ])('of %j takes %s', (codecs, codec) => {
    expect(planPublisher(whipOffer(...whipHead('v'), ...whipLine('v', 'video', codecs))).video.format.codec).toBe(codec)
  })

  test.each([
    [{ 102: 'H264/90000', 103: 'H264/90000' }, ['a=fmtp:102 packetization-mode=0', 'a=fmtp:103 packetization-mode=1']],
    [{ 102: 'VP9/90000', 103: 'VP9/90000' }, ['a=fmtp:102 profile-id=2', 'a=fmtp:103 profile-id=0']],
  ])('of two forms of a codec takes the usual one', (codecs, fmtps) => {
    const line = whipLine('v', 'video', codecs, fmtps)
    expect(planPublisher(whipOffer(...whipHead('v'), ...line)).video.format.payloadType).toBe(103)
  })

  test.each([
    ['PCMU/8000', 0, 'pcmu'],
    ['PCMA/8000', 8, 'pcma'],
  ])('takes %s', (rtpmap, payloadType, codec) => {
    const sound = whipLine('a', 'audio', { [payloadType]: rtpmap })
    expect(planPublisher(whipOffer(...whipHead('v', 'a'), ...h264Line, ...sound)).audio?.format.codec).toBe(codec)
  })

  test('RFC 9143 §6: takes a line that is bundle-only, whose transport stands in the first', () => {
    const transport = ['a=ice-ufrag:pubs', 'a=ice-pwd:pubspubspubspubspubspubs', 'a=setup:active']
    const head = whipHead('a', 'v').filter((line) => !/ice-|setup/.test(line))
    const second = ['m=video 0 UDP/TLS/RTP/SAVPF 96', ...h264Line.slice(1), 'a=bundle-only']
    const plan = planPublisher(whipOffer(...head, ...opusLine, ...transport, ...second))
    expect(plan.remote).toMatchObject({ iceUfrag: 'pubs', setup: 'active' })
    expect(plan.video.mid).toBe('v')
  })

  test.each([
    ['two pictures', whipOffer(...whipHead('v', 'w'), ...h264Line, ...whipLine('w', 'video', { 97: 'VP8/90000' }))],
    [
      'two sounds',
      whipOffer(...whipHead('v', 'a', 'b'), ...h264Line, ...opusLine, ...whipLine('b', 'audio', { 0: 'PCMU/8000' })),
    ],
    ['sound alone', whipOffer(...whipHead('a'), ...opusLine)],
    [
      'a data channel',
      whipOffer(...whipHead('v', 'd'), ...h264Line, 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:d'),
    ],
    ['a line that receives', plainWhipOffer.replace('a=sendonly', 'a=recvonly')],
    ['a line that is off', plainWhipOffer.replace('a=sendonly', 'a=inactive')],
    ['a codec that nobody knows', plainWhipOffer.replace('opus/48000', 'speex/16000')],
    ['lines that are not bundled', plainWhipOffer.replace('BUNDLE v a', 'BUNDLE v')],
    ['RTCP on a port of its own', plainWhipOffer.replace('a=rtcp-mux\r\n', '')],
    ['bundled lines without sources', plainWhipOffer.replace('a=ssrc:2222 cname:e\r\n', '')],
    ['nine lines', whipOffer(...whipHead('v'), ...Array.from({ length: 9 }, () => h264Line).flat())],
  ])('RFC 9725 §4.4.3: %s: all of it is refused', (_, offer) => {
    expect(failure(offer)).toBe('offer_unsupported')
  })

  test.each([
    ['no line', whipOffer(...whipHead())],
    ['no fingerprint', plainWhipOffer.replace(/a=fingerprint.*\r\n/, '')],
    ['a user name of two letters', plainWhipOffer.replace('a=ice-ufrag:pubs', 'a=ice-ufrag:pu')],
    ['a mid that is no word', plainWhipOffer.replace('BUNDLE v a', 'BUNDLE v;x a')],
    ['no SDP', 'hello'],
  ])('%s is no offer', (_, offer) => {
    expect(failure(offer)).toBe('sdp_invalid')
  })

  test('without sources a single line is taken: there is nothing to tell it from', () => {
    const line = h264Line.filter((one) => !one.startsWith('a=ssrc'))
    expect(planPublisher(whipOffer(...whipHead('v'), ...line)).video.mid).toBe('v')
  })
})
