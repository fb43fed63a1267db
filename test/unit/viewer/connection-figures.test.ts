import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ConnectionCounts, countsOf, figuresOf } from '../../../viewer/src/live/connection-figures.ts'

const timestamp = 5_000
const reports = [
  { type: 'codec', id: 'C1', timestamp, mimeType: 'video/H264' },
  { type: 'transport', id: 'T1', timestamp, selectedCandidatePairId: 'P2' },
  { type: 'candidate-pair', id: 'P1', timestamp, currentRoundTripTime: 0.9 },
  { type: 'candidate-pair', id: 'P2', timestamp, currentRoundTripTime: 0.0234 },
  { type: 'inbound-rtp', kind: 'audio', id: 'A1', timestamp, bytesReceived: 8_000, packetsLost: 7 },
  {
    ...{ type: 'inbound-rtp', kind: 'video', id: 'V1', timestamp, codecId: 'C1' },
    ...{ bytesReceived: 242_000, packetsReceived: 300, packetsLost: 3, framesDecoded: 75, framesDropped: 2 },
    ...{ jitterBufferDelay: 4, jitterBufferEmittedCount: 80, frameWidth: 640, frameHeight: 360 },
  },
]

test('what the browser reports is read: the picture, both lines’ bytes, the path in use', () => {
  expect(countsOf(reports)).toEqual({
    ...{ atMs: 5_000, bytes: 250_000, packets: 300, lost: 3, framesDecoded: 75, framesDropped: 2 },
    ...{ waitedS: 4, waited: 80, width: 640, height: 360, codec: 'H264', rttS: 0.0234 },
  })
  const asFirefox = reports.map((one) => (one.id === 'P1' ? { ...one, selected: true } : one))
  expect(countsOf(asFirefox.filter(({ type }) => type !== 'transport'))?.rttS).toBe(0.9)
  expect(countsOf([])).toBeUndefined()
})

test('figures are of the time between two looks', () => {
  const counts = countsOf(reports)!
  const before: ConnectionCounts = {
    ...counts,
    ...{ atMs: 3_000, bytes: 0, packets: 101, lost: 2, framesDecoded: 25, waitedS: 2, waited: 30 },
  }
  expect(figuresOf(before, counts)).toEqual([
    ['Resolution', '640 × 360'],
    ['Codec', 'H264'],
    ['Frames', '25 a second'],
    ['Bitrate', '1.0 Mbit/s'],
    ['Loss', '0.5 %'],
    ['Round trip', '23 ms'],
    ['Jitter buffer', '40 ms'],
    ['Dropped frames', '2'],
  ])
})

test('what is not known yet is not made up', () => {
  const counts = countsOf([{ type: 'inbound-rtp', kind: 'video', id: 'V1', timestamp }])!
  const texts = figuresOf(undefined, counts).map(([, text]) => text)
  expect(texts).toEqual(['–', '–', '–', '–', '–', '–', '–', '0'])
})

test('counts that stand still, or begin anew, never give a figure below nothing or none at all', () => {
  const any = fc.record({
    ...{ atMs: fc.nat(), bytes: fc.nat(), packets: fc.nat(), lost: fc.integer(), framesDecoded: fc.nat() },
    ...{ framesDropped: fc.nat(), waitedS: fc.nat(), waited: fc.nat(), width: fc.nat(), height: fc.nat() },
    ...{ codec: fc.constant('VP8'), rttS: fc.option(fc.nat(), { nil: undefined }) },
  })
  fc.assert(
    fc.property(any, any, (before, counts) => {
      for (const [, text] of figuresOf(before, counts)) expect(text).not.toMatch(/-|NaN|Infinity/)
    }),
  )
})
