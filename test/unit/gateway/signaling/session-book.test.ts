import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { SessionMetrics } from '../../../../gateway/metrics/session-metrics.ts'
import { type SessionReport, sessionReport } from '../../../../gateway/metrics/session-report.ts'
import { SessionBook } from '../../../../gateway/signaling/session-book.ts'

const report: SessionReport = sessionReport.parse({
  ...{ id: 'one', camera: 'house.door', role: 'viewer', state: 'live', since: 1, remoteAddress: null, layer: 'main' },
  codecs: { video: 'h264', audio: null, talk: null },
  ...{ bitrate: 2_000_000, packetsSent: 100, packetsReceived: 5, packetsResent: 2, lost: 3, lossRatio: 0.03 },
  ...{ rttMs: 40, jitterMs: 4, nacks: 2, plis: 1, firs: 0, estimate: null },
  stages: { camera: 0, signaling: 4, ice: 30, dtls: 40, firstPacket: 1, total: 75 },
})

function open() {
  const registry = new Registry()
  const book = new SessionBook({ metrics: new SessionMetrics(registry) })
  onTestFinished(() => book[Symbol.asyncDispose]())
  const lines = async (name: string) => (await registry.metrics()).split('\n').filter((line) => line.startsWith(name))
  return { book, lines }
}

test('lists whoever is there', () => {
  const { book } = open()
  const leave = book.add({ report: () => report })
  book.add({ report: () => ({ ...report, id: 'two' }) })
  expect(book.reports().map(({ id }) => id)).toEqual(['one', 'two'])
  leave()
  leave()
  expect(book.reports().map(({ id }) => id)).toEqual(['two'])
})

test('counts what a session did once, up to its end, and per camera', async () => {
  const { book, lines } = open()
  let now = report
  const leave = book.add({ report: () => now })
  book.add({ report: () => ({ ...report, id: 'two', packetsSent: 1_000 }) })
  book.sample()
  book.sample()
  now = { ...report, packetsSent: 150, lost: 1, nacks: 4 }
  leave()
  book.sample()
  const labels = '{camera="house.door",role="viewer"}'
  expect(await lines('porchlight_session_packets_total')).toEqual([`porchlight_session_packets_total${labels} 1150`])
  expect(await lines('porchlight_session_packets_lost_total')).toEqual([
    `porchlight_session_packets_lost_total${labels} 6`,
  ])
  expect(await lines('porchlight_session_nacks_total')).toEqual([`porchlight_session_nacks_total${labels} 6`])
  expect(await lines('porchlight_sessions{')).toEqual([
    'porchlight_sessions{camera="house.door",role="viewer",layer="main"} 1',
  ])
})

test('times each session’s first picture once, by stage, and leaves out what was not measured', async () => {
  const { book, lines } = open()
  const pending = { ...report, stages: { ...report.stages, firstPacket: null, total: null } }
  let now: SessionReport = pending
  book.add({ report: () => now })
  book.sample()
  expect(await lines('porchlight_first_picture_seconds_count')).toEqual([])
  now = report
  book.sample()
  book.sample()
  book.add({ report: () => ({ ...report, role: 'producer', stages: { ...report.stages, camera: null } }) })
  book.sample()
  const count = await lines('porchlight_first_picture_seconds_count')
  expect(count).toContain('porchlight_first_picture_seconds_count{role="viewer",stage="ice"} 1')
  expect(count).toContain('porchlight_first_picture_seconds_count{role="viewer",stage="total"} 1')
  expect(count.filter((line) => line.includes('stage="camera"'))).toHaveLength(1)
  expect(await lines('porchlight_first_picture_seconds_sum{role="viewer",stage="dtls"}')).toEqual([
    'porchlight_first_picture_seconds_sum{role="viewer",stage="dtls"} 0.04',
  ])
  expect(await lines('porchlight_session_estimate_count')).toEqual([])
  expect(await lines('porchlight_session_rtt_seconds_count{role="viewer"}')).toEqual([
    'porchlight_session_rtt_seconds_count{role="viewer"} 4',
  ])
})

test('a device that makes up cameras does not make up labels without end', async () => {
  const { book, lines } = open()
  for (let index = 0; index < 300; index++) book.add({ report: () => ({ ...report, camera: `house.c${index}` }) })
  book.sample()
  expect(await lines('porchlight_sessions{')).toHaveLength(257)
  expect(await lines('porchlight_sessions{camera="other"')).toEqual([
    'porchlight_sessions{camera="other",role="viewer",layer="main"} 44',
  ])
})
