import { ntpFromMs, writeRtp } from '@porchlight/proto/media/rtp.ts'
import { expect, test } from 'vitest'
import { type LineFormat, MediaLine } from '../../../../gateway/sfu/media-line.ts'

const opus: LineFormat = {
  kind: 'audio',
  codec: 'opus',
  payloadType: 111,
  clockRate: 48_000,
  channels: 2,
  fmtp: '',
  frameNumberId: undefined,
  captureTimeId: undefined,
  transportCcId: undefined,
}
const wallMs = 1_700_000_000_000
const rtpTime = 960_000

/** A line whose newest packet came just now, after a report of its source. @returns that packet's capture time */
function capturedAfter(report: { captureMs: number; rtp: number }): number {
  const line = new MediaLine(opus, () => wallMs)
  const packet = { payloadType: 111, sequence: 1, timestamp: rtpTime, ssrc: 5, marker: false, extensions: [] }
  line.receive(writeRtp({ ...packet, payload: Uint8Array.of(1) }), 0)
  line.senderReport(ntpFromMs(report.captureMs), report.captureMs, report.rtp, 0)
  const newest = line.cache.ring.get(line.cache.ring.head)!
  return line.clock.captureMs(newest.timestamp)
}

test('a sender report says when the newest packet was captured', () => {
  expect(capturedAfter({ captureMs: wallMs - 200, rtp: rtpTime })).toBe(wallMs - 200)
  // It may speak of a moment that no packet is of.
  expect(capturedAfter({ captureMs: wallMs, rtp: rtpTime + 0.2 * 48_000 })).toBe(wallMs - 200)
})

test.each([
  ['a clock that is an hour slow', { captureMs: wallMs - 3_600_000, rtp: rtpTime }],
  ['a clock that is an hour fast', { captureMs: wallMs + 3_600_000, rtp: rtpTime }],
  ['RTP time that runs away (GStreamer 1.22)', { captureMs: wallMs, rtp: rtpTime + 20 * 48_000 }],
])('%s is not believed: arrival counts', (_, report) => {
  expect(capturedAfter(report)).toBe(wallMs)
})
