import { isCodec, parseSdp } from '@porchlight/proto/media/sdp.ts'
import { describe, expect, it } from 'vitest'

describe('parseSdp', () => {
  it('reads what WebRTC needs', () => {
    const sdp = parseSdp(
      [
        ...['v=0', 'o=- 1 2 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE v', 'a=fingerprint:sha-256 AA:BB'],
        ...['m=video 9 UDP/TLS/RTP/SAVPF 96 97', 'c=IN IP4 0.0.0.0', 'a=mid:v', 'a=sendonly', 'a=rtcp-mux'],
        ...['a=ice-ufrag:u', 'a=ice-pwd:p', 'a=setup:actpass', 'a=extmap:3/sendonly urn:x', 'a=rtpmap:96 H264/90000'],
        ...['a=fmtp:96 profile-level-id=42e01f;packetization-mode=1', 'a=candidate:1 1 udp 1 10.0.0.1 5 typ host'],
      ].join('\n'),
    )
    expect(sdp.media[0]).toMatchObject({
      ...{
        kind: 'video',
        mid: 'v',
        direction: 'sendonly',
        rtcpMux: true,
        iceUfrag: 'u',
        icePwd: 'p',
        setup: 'actpass',
      },
      ...{ fingerprint: 'sha-256 AA:BB', payloadTypes: [96, 97], extmaps: [{ id: 3, uri: 'urn:x' }] },
      candidates: ['candidate:1 1 udp 1 10.0.0.1 5 typ host'],
    })
    expect(sdp.media[0]!.fmtps.get(96)!.get('profile-level-id')).toBe('42e01f')
    expect(isCodec(sdp.media[0]!.rtpmaps.get(96), 'h264')).toBe(true)
  })

  it('bears blanks, odd line ends, missing rates; fills static types in', () => {
    const { media } = parseSdp(
      ' v=0\r m=audio 0 RTP/AVP 0 8 97\n\na=rtpmap: 97 PCMA\r\na=rtpmap:97 PCMA \n a=recvonly ',
    )
    expect(media[0]!.rtpmaps.get(0)).toMatchObject({ codec: 'PCMU', clockRate: 8000 })
    expect(media[0]!.rtpmaps.get(97)).toMatchObject({ codec: 'PCMA', clockRate: 8000 })
    expect(media[0]!.direction).toBe('recvonly')
  })

  it('refuses what is none, in a coded way', () => {
    for (const text of ['', 'hello', 'm=x\n'.repeat(100), 'x'.repeat(300_000)]) {
      expect(() => parseSdp(text)).toThrow(expect.objectContaining({ code: 'sdp_invalid' }))
    }
  })
})
