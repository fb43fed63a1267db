import { describe, expect, test } from 'vitest'
import { sdpFacts } from '../../../../device/webrtc/sdp-facts.ts'

const sdp = (extra = '') =>
  `v=0\r\na=fingerprint:sha-256 AB:CD\r\nm=video 9 X 96\r\na=ice-ufrag:abcd\r\nm=audio 9 X 0\r\na=ice-ufrag:abcd\r\n${extra}`

const refused = expect.objectContaining({ code: 'sdp_invalid' })

describe('what is signed of an SDP', () => {
  test('fingerprint and ufrag', () => {
    expect(sdpFacts(sdp())).toEqual({ fingerprint: 'sha-256 AB:CD', ufrag: 'abcd' })
  })

  test('a second fingerprint or ufrag anywhere is refused, however it is written', () => {
    for (const line of ['a=fingerprint:sha-256 EE:FF', 'a=FINGERPRINT:sha-256 EE:FF', ' a = ice-ufrag:efgh']) {
      expect(() => sdpFacts(sdp(`${line}\n`))).toThrow(refused)
    }
    expect(() => sdpFacts(sdp('x\ra=fingerprint:sha-1 00\r'))).toThrow(refused)
  })

  test('without them there is nothing to sign', () => {
    expect(() => sdpFacts('v=0\r\na=ice-ufrag:abcd\r\n')).toThrow(refused)
    expect(() => sdpFacts('v=0\r\na=fingerprint:sha-256 AB\r\na=ice-ufrag:\r\n')).toThrow(refused)
  })
})
