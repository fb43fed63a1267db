import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { expect, test } from 'vitest'
import { askForLostSound } from '../../../viewer/src/live/ask-for-lost-sound.ts'

const line = (direction: string, ...more: string[]) =>
  [
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 126',
    'a=mid:1',
    `a=${direction}`,
    'a=rtpmap:111 opus/48000/2',
    'a=rtcp-fb:111 transport-cc',
    'a=rtpmap:63 red/48000/2',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:126 telephone-event/8000',
    ...more,
  ].join('\r\n')
const video = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=recvonly\r\na=rtpmap:96 H264/90000'
const offer = (...sections: string[]) =>
  `${['v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0', ...sections].join('\r\n')}\r\n`
const nacked = (sdp: string) =>
  parseSdp(sdp).media.map(({ attributes }) =>
    attributes.flatMap(({ name, value }) => (name === 'rtcp-fb' && value.endsWith(' nack') ? [value] : [])),
  )

test('lost sound is asked for in each codec that a camera may send', () => {
  expect(nacked(askForLostSound(offer(video, line('recvonly'))))).toEqual([[], ['111 nack', '0 nack']])
})

test('nothing else of the offer changes', () => {
  const before = offer(video, line('recvonly'))
  const after = askForLostSound(before)
  expect(after.replace(/a=rtcp-fb:\d+ nack\r\n/g, '')).toBe(before)
  expect(after.split('\r\n').join('')).not.toMatch(/[\r\n]/)
})

test('the microphone’s line stays as it is, and what is offered already is not offered twice', () => {
  const talk = offer(line('sendonly'))
  expect(askForLostSound(talk)).toBe(talk)
  const asks = askForLostSound(offer(line('recvonly')))
  expect(askForLostSound(asks)).toBe(asks)
})
