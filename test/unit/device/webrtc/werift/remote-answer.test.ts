import { describe, expect, test } from 'vitest'
import { usableServers } from '../../../../../device/webrtc/werift/ice-servers.ts'
import { readAnswer } from '../../../../../device/webrtc/werift/remote-answer.ts'

const print = (byte: string) => `sha-256 ${Array.from({ length: 32 }, () => byte).join(':')}`
const answer = [
  'v=0',
  `a=fingerprint:${print('AB')}`,
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:v',
  'a=setup:active',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789012345678901',
  'a=candidate:1 1 UDP 2122317823 127.0.0.1 5000 typ host',
  'm=audio 9 UDP/TLS/RTP/SAVPF 0',
  'a=mid:t',
  'a=setup:active',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789012345678901',
  'a=ssrc:555 cname:gateway',
]

test('an answer says who the peer is and where, and what it will send', () => {
  expect(readAnswer(answer.join('\r\n'))).toEqual({
    ufrag: 'abcd',
    password: '0123456789012345678901',
    fingerprint: print('AB'),
    lite: false,
    candidates: ['candidate:1 1 UDP 2122317823 127.0.0.1 5000 typ host'],
    ssrcs: new Map([[555, 't']]),
  })
  expect(readAnswer(['v=0', 'a=ice-lite', ...answer.slice(1)].join('\r\n')).lite).toBe(true)
})

describe('no answer is one', () => {
  const changed = (from: RegExp, to: string) => answer.map((line) => line.replace(from, to))
  test.each([
    ['without a fingerprint', changed(/^a=fingerprint.*/, '')],
    ['with a second one', [...answer, `a=fingerprint:${print('CD')}`]],
    ['with a weak one', changed(/^a=fingerprint.*/, 'a=fingerprint:sha-1 AB:CD')],
    ['with a second user name', [...answer, 'a=ice-ufrag:other']],
    [
      'with a second password',
      changed(/0123456789012345678901$/, '9876543210987654321098')
        .slice(0, 7)
        .concat(answer.slice(7)),
    ],
    ['with a password that is too short', changed(/a=ice-pwd.*/, 'a=ice-pwd:short')],
    ['with a user name that is too short', changed(/a=ice-ufrag.*/, 'a=ice-ufrag:abc')],
    ['of a DTLS server', changed(/a=setup:active/, 'a=setup:passive')],
    ['that leaves the role open', changed(/a=setup:active/, 'a=setup:actpass')],
  ])('%s', (_, lines) => {
    expect(() => readAnswer(lines.join('\r\n'))).toThrow(expect.objectContaining({ code: 'sdp_invalid' }))
  })
})

test('several STUN servers and TURN servers by UDP are asked; all others are not', () => {
  const turn = { kind: 'turn', username: '17:porch', credential: 'a/b=' }
  expect(
    usableServers([
      'stun:stun.house.test',
      'turn:17%3Aporch:a%2Fb%3D@turn.house.test:5000?transport=udp',
      'turn:17%3Aporch:a%2Fb%3D@[2001:db8::1]',
      'turn:17%3Aporch:a%2Fb%3D@turn.house.test?transport=tcp',
      'turns:17%3Aporch:a%2Fb%3D@turn.house.test',
      'turn:turn.house.test',
      'turn:%:%@turn.house.test',
      'stuns:stun.house.test',
      'nonsense',
    ]),
  ).toEqual([
    { kind: 'stun', host: 'stun.house.test', port: 3478 },
    { ...turn, host: 'turn.house.test', port: 5000 },
    { ...turn, host: '2001:db8::1', port: 3478 },
  ])
  expect(usableServers(Array.from({ length: 20 }, (_, index) => `stun:s${index}.test`))).toHaveLength(4)
})
