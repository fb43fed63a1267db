import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { describe, expect, test } from 'vitest'
import type { LineFormat } from '../../../../gateway/sfu/media-line.ts'
import { h264Profile, matchCodec } from '../../../../gateway/signaling/codec-match.ts'

/** Chromium 156 on Debian. */
const chromium = `v=0
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 101 35 36 102 103 104 107 108 109 114 115 116 117 39 40 45 46
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 VP9/90000
a=fmtp:98 profile-id=0
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=rtpmap:100 VP9/90000
a=fmtp:100 profile-id=2
a=rtpmap:102 H264/90000
a=rtcp-fb:102 goog-remb
a=rtcp-fb:102 transport-cc
a=rtcp-fb:102 ccm fir
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
a=rtpmap:104 H264/90000
a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
a=rtpmap:108 H264/90000
a=rtcp-fb:108 transport-cc
a=rtcp-fb:108 nack
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:109 rtx/90000
a=fmtp:109 apt=108
a=rtpmap:114 H264/90000
a=fmtp:114 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f
a=rtpmap:116 H264/90000
a=fmtp:116 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=f4001f
a=rtpmap:45 AV1/90000
a=fmtp:45 level-idx=5;profile=0;tier=0
m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
`
const [video, audio] = parseSdp(chromium).media

function line(codec: LineFormat['codec'], fmtp = '', clockRate = 90_000): LineFormat {
  const kind = clockRate === 90_000 ? 'video' : 'audio'
  const none = { frameNumberId: undefined, captureTimeId: undefined, transportCcId: undefined }
  return { kind, codec, payloadType: 1, clockRate, channels: 1, fmtp, ...none }
}

describe('H.264 profiles', () => {
  test.each([
    ['42e01f', 'constrained-baseline'],
    ['42c028', 'constrained-baseline'],
    ['42001f', 'baseline'],
    ['4d001f', 'main'],
    ['4d801f', 'constrained-baseline'],
    ['64001f', 'high'],
    ['640c1f', 'constrained-high'],
    ['f4001f', 'other'],
    [undefined, 'baseline'],
  ] as const)('%s is %s', (id, profile) => {
    expect(h264Profile(id)).toBe(profile)
  })

  test.each([
    ['42c01f', 108],
    ['42001f', 102],
    ['4d0028', 114],
    ['640028', 116],
  ])('a camera of %s goes out as payload type %i', (profile, payloadType) => {
    const match = matchCodec(video!, line('h264', `packetization-mode=1;profile-level-id=${profile}`))
    expect(match?.payload.payloadType).toBe(payloadType)
  })

  test('packetization mode 0 takes no fragments: not for us', () => {
    const only = parseSdp(chromium.replaceAll('packetization-mode=1', 'packetization-mode=0')).media[0]!
    expect(matchCodec(only, line('h264', 'profile-level-id=42c01f'))).toBeUndefined()
  })

  test('the answer repeats the parameters of the offer and the feedback that both know', () => {
    const match = matchCodec(video!, line('h264', 'profile-level-id=42001f'))
    expect(match).toEqual({
      payload: {
        payloadType: 102,
        rtpmap: 'H264/90000',
        fmtp: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f',
        feedback: ['nack', 'nack pli', 'ccm fir', 'transport-cc'],
      },
      rtx: 103,
    })
  })
})

describe('other codecs', () => {
  test.each([
    ['vp8', '', 96],
    ['vp9', 'profile-id=0', 98],
    ['vp9', 'profile-id=2', 100],
    ['av1', '', 45],
  ] as const)('%s %s is payload type %i', (codec, fmtp, payloadType) => {
    expect(matchCodec(video!, line(codec, fmtp))?.payload.payloadType).toBe(payloadType)
  })

  test('H.265 is not in this offer', () => {
    expect(matchCodec(video!, line('h265'))).toBeUndefined()
  })

  test('H.265 is matched where it is offered', () => {
    const safari = parseSdp('v=0\nm=video 9 UDP/TLS/RTP/SAVPF 100\na=rtpmap:100 H265/90000\na=fmtp:100 profile-id=1\n')
    expect(matchCodec(safari.media[0]!, line('h265'))?.payload.payloadType).toBe(100)
  })

  test('sound: by name and clock, static payload types without a line included', () => {
    expect(matchCodec(audio!, line('opus', '', 48_000))?.payload).toMatchObject({
      payloadType: 111,
      rtpmap: 'opus/48000/2',
      feedback: ['transport-cc'],
    })
    expect(matchCodec(audio!, line('pcmu', '', 8_000))?.payload.payloadType).toBe(0)
    expect(matchCodec(audio!, line('pcma', '', 8_000))?.payload.payloadType).toBe(8)
  })

  test('what does not belong into a parameter is not repeated', () => {
    const evil = parseSdp('v=0\nm=video 9 X 96\na=rtpmap:96 VP8/90000\na=fmtp:96 a=1;b=<x y>;c=2\n').media[0]!
    expect(matchCodec(evil, line('vp8'))?.payload.fmtp).toBe('a=1;c=2')
  })
})
