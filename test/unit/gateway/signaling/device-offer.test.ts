import { frameNumberUri } from '@porchlight/proto/media/rtp-extensions.ts'
import { expect, test } from 'vitest'
import { planDevice } from '../../../../gateway/signaling/device-offer.ts'

const fingerprint = Array.from({ length: 32 }, () => 'AB').join(':')

function section(mid: string, kind: 'video' | 'audio', payloadType: number, rtpmap: string, direction = 'sendonly') {
  return [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    `a=${direction}`,
    'a=rtcp-mux',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:0123456789abcdef01234567',
    `a=fingerprint:sha-256 ${fingerprint}`,
    'a=setup:passive',
    `a=extmap:5 ${frameNumberUri}`,
    `a=rtpmap:${payloadType} ${rtpmap}`,
  ]
}

const offer = (...sections: string[][]) =>
  ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', ...sections.flat(), ''].join('\r\n')

test('a second line of video is the small layer of the picture', () => {
  const sdp = offer(
    section('v', 'video', 96, 'H264/90000'),
    section('a', 'audio', 0, 'PCMU/8000'),
    section('t', 'audio', 0, 'PCMU/8000', 'recvonly'),
    section('s', 'video', 96, 'H264/90000'),
  )
  const plan = planDevice(sdp, 77)
  expect(plan.video).toMatchObject({ mid: 'v', format: { codec: 'h264', frameNumberId: 5 } })
  expect(plan.sub).toMatchObject({ mid: 's', format: { codec: 'h264', frameNumberId: 5 } })
  expect(plan.audio?.mid).toBe('a')
  expect(plan.talk?.mid).toBe('t')
  expect(plan.sections.map(({ accepted }) => accepted?.direction)).toEqual([
    'recvonly',
    'recvonly',
    'sendonly',
    'recvonly',
  ])
})

test('a layer that a viewer of the main one could not decode, and a third one, are refused', () => {
  const other = planDevice(offer(section('v', 'video', 97, 'H265/90000'), section('s', 'video', 96, 'H264/90000')), 77)
  expect(other.video?.mid).toBe('v')
  expect(other.sub).toBeUndefined()
  expect(other.sections[1]?.accepted).toBeUndefined()
  const three = planDevice(offer(...['v', 's', 'x'].map((mid) => section(mid, 'video', 96, 'H264/90000'))), 77)
  expect(three.sections.map(({ accepted }) => accepted !== undefined)).toEqual([true, true, false])
})
