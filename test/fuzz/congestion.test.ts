import { defaultLinkLimits, LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { parseRtcp } from '@porchlight/proto/media/rtcp.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const { least, most } = defaultLinkLimits

function sane(estimate: LinkEstimate): void {
  for (const value of [estimate.rate, estimate.queueMs, estimate.probes.due(0)])
    expect(Number.isFinite(value)).toBe(true)
  expect(estimate.rate).toBeGreaterThanOrEqual(least)
  expect(estimate.rate).toBeLessThanOrEqual(most)
  expect(estimate.queueMs).toBeGreaterThanOrEqual(0)
  expect(estimate.acknowledged ?? 0).toBeGreaterThanOrEqual(0)
}

const atUs = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 0, max: 4_000 }).map((ticks) => ticks * 250),
  fc.integer({ min: -(2 ** 41), max: 2 ** 41 }),
)
const step = fc.oneof(
  fc.record({
    type: fc.constant('sent' as const),
    packets: fc.nat({ max: 30 }),
    bytes: fc.nat({ max: 1_500 }),
    afterMs: fc.nat({ max: 500 }),
  }),
  fc.record({
    type: fc.constant('feedback' as const),
    /** How far behind what was sent last it begins; may be ahead. */
    behind: fc.integer({ min: -20, max: 5_000 }),
    arrivals: fc.array(atUs, { minLength: 1, maxLength: 40 }),
    afterMs: fc.integer({ min: -50, max: 5_000 }),
  }),
  fc.record({ type: fc.constant('again' as const), behind: fc.integer({ min: -20, max: 70_000 }) }),
  fc.record({ type: fc.constant('probe' as const), rate: fc.double({ min: 1e-3, max: 1e9, noNaN: true }) }),
  fc.record({
    type: fc.constant('report' as const),
    fractionLost: fc.nat({ max: 255 }),
    afterMs: fc.nat({ max: 5_000 }),
  }),
)

test('no feedback, however wrong, takes the rate out of its bounds, or throws', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffff }), fc.array(step, { maxLength: 60 }), (first, steps) => {
      const estimate = new LinkEstimate()
      let next = first
      let nowMs = 0
      for (const one of steps) {
        if ('afterMs' in one) nowMs += one.afterMs
        switch (one.type) {
          case 'sent':
            for (let index = 0; index < one.packets; index++) estimate.sent(next++ & 0xffff, one.bytes, nowMs)
            break
          case 'feedback': {
            const base = next - one.behind
            const arrivals = one.arrivals.map((at, index) => ({ sequence: (base + index) & 0xffff, atUs: at }))
            estimate.feedback({ type: 'twcc', sender: 1, media: 1, feedback: 0, arrivals }, nowMs)
            break
          }
          case 'again':
            estimate.sentAgain((next - one.behind) & 0xffff)
            break
          case 'probe':
            estimate.probes.start(one.rate, nowMs)
            expect(Number.isFinite(estimate.probes.due(nowMs))).toBe(true)
            break
          case 'report': {
            const rest = { ssrc: 1, packetsLost: 0, highestSequence: 0, jitter: 0, lastSr: 0, delaySinceLastSr: 0 }
            estimate.report({ ...rest, fractionLost: one.fractionLost }, nowMs)
          }
        }
        sane(estimate)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('nor do bytes that only look like feedback', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 12, maxLength: 120 }), { maxLength: 20 }), (bodies) => {
      const estimate = new LinkEstimate()
      for (let sequence = 0; sequence <= 0xffff; sequence += 16) estimate.sent(sequence, 1_200, sequence / 16)
      bodies.forEach((body, index) => {
        const words = body.length >> 2
        const bytes = new Uint8Array(4 + words * 4)
        bytes.set([0x8f, 205, words >> 8, words & 255])
        bytes.set(body.subarray(0, words * 4), 4)
        for (const packet of parseRtcp(bytes)) if (packet.type === 'twcc') estimate.feedback(packet, 5_000 + index * 50)
        sane(estimate)
      })
    }),
    { numRuns: 500 },
  )
})
