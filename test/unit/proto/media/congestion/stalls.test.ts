import { describe, expect, test } from 'vitest'
import { mainRate, SimulatedLink } from './simulated-link.ts'

const wide = () => 6_000
const each = (everyMs: number, forMs: number) =>
  Array.from({ length: 200 }, (_, index) => [2_000 + index * everyMs, 2_000 + index * everyMs + forMs] as const)

describe('a good link is not left', () => {
  test.each([100, 300, 500])('when the receiver stands still for %i ms, again and again', (ms) => {
    const link = new SimulatedLink({ rate: wide, receiverStalls: each(1_500, ms) })
    link.run(30_000)
    expect(link.changes).toEqual([])
    expect(link.leastRate).toBeGreaterThan(mainRate)
  })

  test.each([100, 300, 500])('when the sender stands still for %i ms, again and again', (ms) => {
    const link = new SimulatedLink({ rate: wide, senderStalls: each(1_700, ms) })
    link.run(30_000)
    expect(link.changes).toEqual([])
    expect(link.leastRate).toBeGreaterThan(mainRate)
  })

  test('when both do, and at the very beginning too', () => {
    const link = new SimulatedLink({
      rate: wide,
      receiverStalls: [[5, 400], ...each(900, 250)],
      senderStalls: each(1_100, 200),
    })
    link.run(30_000)
    expect(link.changes).toEqual([])
  })

  test('when a receiver gets the processor for a moment only, ten times a second', () => {
    const link = new SimulatedLink({ rate: wide, receiverStalls: each(100, 85) })
    link.run(20_000)
    expect(link.changes).toEqual([])
  })

  test.each([-200, 200])('when the clocks drift apart by %i ppm', (driftPpm) => {
    const link = new SimulatedLink({ rate: wide, driftPpm })
    link.run(60_000)
    expect(link.changes).toEqual([])
    expect(link.estimate.free).toBe(true)
    expect(link.leastRate).toBeGreaterThan(mainRate)
  })

  test('by periodic jitter, nor by feedback that is late and lost', () => {
    const link = new SimulatedLink({ rate: wide, jitterMs: 30, feedback: { everyMs: 100, loss: 0.2, lateMs: 150 } })
    link.run(30_000)
    expect(link.changes).toEqual([])
    expect(link.leastRate).toBeGreaterThan(mainRate)
  })

  test('by one packet in twenty lost at 50 ms', () => {
    const link = new SimulatedLink({ rate: () => 1_000, loss: 0.05 })
    link.run(60_000)
    expect(link.changes).toEqual([])
    expect(link.leastRate).toBeGreaterThan(mainRate)
  })

  test('by a path that became longer', () => {
    // What is measured is the difference of two clocks: a step of one is a longer path.
    const link = new SimulatedLink({ rate: wide, receiverStalls: [] })
    link.run(5_000)
    link.lengthen(80)
    link.run(20_000)
    expect(link.changes).toEqual([])
    expect(link.estimate.free).toBe(true)
  })

  test('over the wrap of the transport-wide numbers, or by the camera on a link just wide enough', () => {
    const link = new SimulatedLink({ rate: () => 375, firstSequence: 65_000 })
    link.run(30_000)
    expect(link.changes).toEqual([])
  })
})

describe('a link that becomes thin', () => {
  test.each([
    [50, 200],
    [50, 1_000],
    [150, 300],
  ])('to %i bytes per ms behind a queue of %i ms is noticed within 1.5 s', (rate, queueMs) => {
    const link = new SimulatedLink({ rate: (atMs) => (atMs < 10_000 ? 375 : rate), queueMs })
    link.run(9_990)
    expect(link.changes).toEqual([])
    link.run(1_500 + (rate > 100 ? 1_000 : 0))
    expect(link.changes.map(({ layer }) => layer)).toEqual(['sub'])
    expect(link.estimate.rate).toBeLessThan(rate * 1.1)
    expect(link.estimate.rate).toBeGreaterThan(rate * 0.5)
  })

  test.each([50, 375])('and wide again is found within 8 s (queue of 200 ms; feedback %i ms apart)', (everyMs) => {
    const rate = (atMs: number) => (atMs >= 10_000 && atMs < 30_000 ? 50 : 375)
    const link = new SimulatedLink({ rate, feedback: { everyMs } })
    link.run(30_000)
    expect(link.layer).toBe('sub')
    link.run(8_000)
    expect(link.layer).toBe('main')
    link.run(10_000)
    expect(link.changes.map(({ layer }) => layer)).toEqual(['sub', 'main'])
  })

  test('is noticed among stalls too', () => {
    const link = new SimulatedLink({
      rate: (atMs) => (atMs < 10_000 ? 375 : 50),
      receiverStalls: each(700, 120),
      senderStalls: each(1_100, 80),
    })
    link.run(9_990)
    expect(link.changes).toEqual([])
    link.run(2_500)
    expect(link.layer).toBe('sub')
  })

  test('without a queue: what is over is dropped at once', () => {
    const link = new SimulatedLink({ rate: (atMs) => (atMs < 10_000 ? 375 : 50), queueMs: 20 })
    link.run(20_000)
    expect(link.layer).toBe('sub')
    expect(link.estimate.rate).toBeLessThan(100)
  })
})
