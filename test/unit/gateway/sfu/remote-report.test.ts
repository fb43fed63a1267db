import type { ReportBlock } from '@porchlight/proto/media/rtcp.ts'
import { middleNtp, ntpFromMs } from '@porchlight/proto/media/rtp.ts'
import { expect, test } from 'vitest'
import { RemoteReport } from '../../../../gateway/sfu/remote-report.ts'

const block: ReportBlock = {
  ...{ ssrc: 1, fractionLost: 64, packetsLost: 12, highestSequence: 900 },
  ...{ jitter: 450, lastSr: 0, delaySinceLastSr: 0 },
}

test('nothing is known before the first report; loss and jitter are with it', () => {
  const remote = new RemoteReport()
  expect([remote.lost, remote.lossRatio, remote.jitterMs, remote.rttMs]).toEqual(Array(4).fill(undefined))
  remote.heard(block, 90_000, 0)
  expect([remote.lost, remote.lossRatio, remote.jitterMs, remote.rttMs]).toEqual([12, 0.25, 5, undefined])
})

test('the round trip is what passed since our report, less what it lay over there', () => {
  const remote = new RemoteReport()
  const ntp = ntpFromMs(1_700_000_000_123)
  remote.sent(ntp, 10_000)
  remote.sent(ntpFromMs(1_700_000_001_123), 11_000)
  remote.heard({ ...block, lastSr: middleNtp(ntp), delaySinceLastSr: 65_536 * 1.5 }, 90_000, 11_540)
  expect(remote.rttMs).toBeCloseTo(40)
  remote.heard({ ...block, lastSr: middleNtp(ntp), delaySinceLastSr: 65_536 * 9 }, 90_000, 12_000)
  expect(remote.rttMs).toBe(0)
})

test('a report that answers none of the last ones changes no round trip', () => {
  const remote = new RemoteReport()
  const old = ntpFromMs(1_700_000_000_000)
  remote.sent(old, 0)
  for (let second = 1; second <= 8; second++) remote.sent(ntpFromMs(1_700_000_000_000 + second * 1_000), second * 1_000)
  remote.heard({ ...block, lastSr: middleNtp(old) }, 90_000, 9_000)
  expect(remote.rttMs).toBeUndefined()
})
