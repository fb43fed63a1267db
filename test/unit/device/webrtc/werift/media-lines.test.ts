import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import { expect, test } from 'vitest'
import type { MediaLine } from '../../../../../device/webrtc/engine.ts'
import { MediaLines } from '../../../../../device/webrtc/werift/media-lines.ts'

const codec = { payloadType: 96, rtpmap: 'H264/90000' }
const media: MediaLine[] = [
  { mid: 'v', kind: 'video', direction: 'sendonly', codec, ssrc: 1000, extensions: [] },
  { mid: 'a', kind: 'audio', direction: 'sendonly', codec, ssrc: 4_000_000_000, extensions: [] },
  { mid: 't', kind: 'audio', direction: 'recvonly', codec, extensions: [] },
]

function lines(): MediaLines {
  const made = new MediaLines(media)
  made.announce(
    new Map([
      [555, 't'],
      [556, 'v'],
      [557, 'nowhere'],
      [1000, 't'],
    ]),
  )
  return made
}

const rtp = (ssrc: number) =>
  Buffer.from(
    writeRtp({
      marker: false,
      payloadType: 0,
      sequence: 1,
      timestamp: 0,
      ssrc,
      extensions: [],
      payload: Buffer.alloc(3),
    }),
  )

test('RTP belongs to the line that the peer announced its source for, and only where it may send', () => {
  const found = [555, 556, 557, 1000, 77].map((ssrc) => lines().ofRtp(rtp(ssrc)))
  expect(found).toEqual(['t', undefined, undefined, undefined, undefined])
})

test('RTCP belongs to the line of the first source that it names and we know', () => {
  const report = { ssrc: 4_000_000_000, fractionLost: 0, packetsLost: 0, highestSequence: 1, jitter: 0, lastSr: 0 }
  const reports = [{ ...report, delaySinceLastSr: 0 }]
  const of = (...packets: Parameters<typeof writeRtcp>[0]) => lines().ofRtcp(Buffer.from(writeRtcp(packets)))
  expect(of({ type: 'pli', sender: 1, media: 1000 })).toBe('v')
  expect(of({ type: 'rr', ssrc: 1, reports })).toBe('a')
  expect(of({ type: 'rr', ssrc: 1, reports: [] }, { type: 'nack', sender: 1, media: 1000, lost: [3] })).toBe('v')
  expect(of({ type: 'sr', ssrc: 555, ntp: 1n, rtp: 2, packets: 3, octets: 4, reports: [] })).toBe('t')
  expect(of({ type: 'fir', sender: 1, requests: [{ ssrc: 1000, sequence: 3 }] })).toBe('v')
  expect(of({ type: 'remb', sender: 1, bitrate: 500_000, ssrcs: [1000] })).toBe('v')
  expect(of({ type: 'twcc', sender: 1, media: 1000, feedback: 0, arrivals: [{ sequence: 1, atUs: 0 }] })).toBe('v')
  expect(of({ type: 'sdes', chunks: [{ ssrc: 555, cname: 'x' }] })).toBe('t')
  expect(of({ type: 'bye', ssrcs: [1, 555] })).toBe('t')
  expect(of({ type: 'pli', sender: 1, media: 2 })).toBeUndefined()
  expect(lines().ofRtcp(Buffer.alloc(8))).toBeUndefined()
})
