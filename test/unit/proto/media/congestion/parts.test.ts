import { AcknowledgedRate } from '@porchlight/proto/media/congestion/acknowledged-rate.ts'
import { BurstRate } from '@porchlight/proto/media/congestion/burst-rate.ts'
import { LossShare } from '@porchlight/proto/media/congestion/loss-share.ts'
import { OveruseDetector } from '@porchlight/proto/media/congestion/overuse-detector.ts'
import { PacketGroups } from '@porchlight/proto/media/congestion/packet-groups.ts'
import { Probe } from '@porchlight/proto/media/congestion/probe.ts'
import { ProbePlan } from '@porchlight/proto/media/congestion/probe-plan.ts'
import { Probes } from '@porchlight/proto/media/congestion/probes.ts'
import { QueueDelay } from '@porchlight/proto/media/congestion/queue-delay.ts'
import { RateControl } from '@porchlight/proto/media/congestion/rate-control.ts'
import { SentLog } from '@porchlight/proto/media/congestion/sent-log.ts'
import { TrendLine } from '@porchlight/proto/media/congestion/trend-line.ts'
import { describe, expect, test } from 'vitest'

// draft-ietf-rmcat-gcc-02 §5.2
describe('packet groups', () => {
  test('packets sent within 5 ms are one; the distance of two is that of their last packets', () => {
    const groups = new PacketGroups()
    const told = [
      [0, 100],
      [2, 103],
      [40, 141],
      [44, 148],
      [80, 190],
    ].map(([sentMs, atMs]) => groups.packet(sentMs!, atMs!))
    expect(told).toEqual([false, false, false, false, true])
    expect([groups.sentDeltaMs, groups.arrivalDeltaMs]).toEqual([42, 45])
  })

  test('what was held back together is one group, so that a stall of the receiver leaves no trend', () => {
    const groups = new PacketGroups()
    groups.packet(0, 100)
    groups.packet(40, 140)
    // 80 … 280 arrive at once at 390.
    for (let sentMs = 80; sentMs <= 280; sentMs += 40) groups.packet(sentMs, 390)
    expect(groups.packet(320, 420)).toBe(true)
    expect(groups.sentDeltaMs).toBe(240)
    expect(groups.arrivalDeltaMs).toBe(250)
  })

  test('reordered packets are passed over; a clock that was set back begins anew', () => {
    const groups = new PacketGroups()
    groups.packet(0, 100)
    groups.packet(40, 140)
    expect(groups.packet(3, 150)).toBe(false)
    const told = []
    for (let sentMs = 80; sentMs < 400; sentMs += 40) told.push(groups.packet(sentMs, sentMs - 5_000))
    expect(told.at(-1)).toBe(true)
    expect(groups.arrivalDeltaMs).toBe(40)
  })
})

// draft-ietf-rmcat-gcc-02 §5.3, §5.4
describe('trend and threshold', () => {
  function usages(growth: (step: number) => number, steps: number) {
    const trend = new TrendLine()
    const detector = new OveruseDetector()
    const seen = new Set<string>()
    let atMs = 0
    for (let step = 0; step < steps; step++) {
      const growthMs = growth(step)
      atMs += 20 + growthMs
      seen.add(detector.update(trend.update(20, 20 + growthMs, atMs), 20, atMs))
    }
    return seen
  }

  test('delay that grows by a tenth is overuse, that shrinks is underuse, noise is neither', () => {
    expect(usages(() => 2, 60)).toContain('overuse')
    expect(usages(() => -2, 60)).toContain('underuse')
    expect(usages((step) => (step % 2 ? 3 : -3), 500)).toEqual(new Set(['normal']))
  })

  test('clocks that drift apart are no trend', () => {
    expect(usages(() => 0.004, 3_000)).toEqual(new Set(['normal']))
  })
})

describe('queue', () => {
  test('one that stands is seen after two tenths of a second, one packet that waits less shows that none stands', () => {
    const queue = new QueueDelay()
    for (let atMs = 0; atMs < 1_000; atMs += 10) queue.packet(30, atMs)
    for (let atMs = 1_000; atMs < 1_600; atMs += 10) queue.packet(30 + (atMs - 1_000) / 2, atMs)
    expect(queue.standingMs).toBeGreaterThan(100)
    expect(queue.pressure).toBeGreaterThan(20)
    queue.packet(32, 1_610)
    expect(queue.standingMs).toBe(2)
  })

  test('a base that is never reached again is forgotten', () => {
    const queue = new QueueDelay()
    queue.packet(0, 0)
    for (let atMs = 0; atMs < 30_000; atMs += 10) queue.packet(20 + (atMs % 400) / 20, atMs)
    expect(queue.baseMs).toBe(20)
  })
})

// draft-ietf-rmcat-gcc-02 §5.5
describe('rate', () => {
  test('falls to 0.85 of what passed, at most five times a second; rises by 8 % a second far from that, slowly near it', () => {
    const control = new RateControl()
    expect(control.decrease(400, 200, 0)).toBe(170)
    expect(control.decrease(170, 160, 100)).toBe(170)
    expect(control.decrease(170, 160, 250)).toBe(136)
    control.hold(1_000)
    const near = control.increase(158, 160, 200, 2_000) - 158
    expect(near).toBeGreaterThan(0)
    expect(near).toBeLessThan(10)
    expect(control.increase(100, 100, 200, 3_000)).toBeCloseTo(108)
    // Earlier overuse says nothing of a link that bears so much more.
    expect(control.increase(500, 500, 200, 4_000)).toBeCloseTo(540)
  })

  test('leaves what passes not far behind', () => {
    const control = new RateControl()
    control.hold(0)
    expect(control.increase(148, 100, 200, 1_000)).toBe(151.25)
    expect(control.increase(300, 100, 200, 2_000)).toBe(300)
  })

  test('what arrived is measured over the last 0.4 s, by a clock with any origin', () => {
    for (const origin of [0, -1e6, 1e9]) {
      const acknowledged = new AcknowledgedRate()
      acknowledged.packet(1_000, origin)
      expect(acknowledged.rate).toBeUndefined()
      for (let atMs = 0; atMs < 1_000; atMs += 5) acknowledged.packet(1_000, origin + atMs)
      expect(acknowledged.rate).toBeCloseTo(200, -1)
      for (let atMs = 1_000; atMs < 1_600; atMs += 5) acknowledged.packet(250, origin + atMs)
      expect(acknowledged.rate).toBeCloseTo(50, -1)
    }
  })
})

test('a handful of lost packets is no loss; much of it is told sooner', () => {
  const loss = new LossShare()
  expect(loss.told(6, 4, 0)).toBe(false)
  expect(loss.told(6, 4, 250)).toBe(true)
  expect(loss.share).toBe(0.4)
  for (let atMs = 300; atMs < 1_250; atMs += 50) expect(loss.told(19, 1, atMs)).toBe(false)
  expect(loss.told(19, 1, 1_250)).toBe(true)
  expect(loss.share).toBe(0.05)
})

describe('bursts', () => {
  const burst = (bursts: BurstRate, fromMs: number, apartMs: number, heldMs = 0) => {
    for (let index = 0; index < 20; index++) {
      bursts.packet(fromMs, 1_000 + fromMs + heldMs + index * apartMs, 1_000, heldMs + index * apartMs)
    }
  }

  test('the way one is drawn apart tells the rate of the link', () => {
    const bursts = new BurstRate()
    burst(bursts, 0, 4)
    expect(bursts.take().rate).toBeCloseTo(250)
  })

  test('one that a stall has held back says nothing', () => {
    const bursts = new BurstRate()
    burst(bursts, 0, 0.01, 300)
    expect(bursts.take().rate).toBe(0)
  })

  test('a stall in its middle does not make the link look slow', () => {
    const bursts = new BurstRate()
    for (let index = 0; index < 40; index++) bursts.packet(0, 1_000 + index * 0.1 + (index > 12 ? 500 : 0), 1_000, 0)
    expect(bursts.take().most).toBeGreaterThan(5_000)
  })
})

describe('a probe', () => {
  function probe(rate: number, linkRate: number) {
    const one = new Probe(1, rate, 0)
    const sent: number[] = []
    for (let nowMs = 0; !one.whole; nowMs += 2) {
      for (let due = one.due(nowMs); due > 0 && !one.whole; due -= 1_200) {
        one.sent(1_200)
        sent.push(nowMs)
      }
    }
    let freeMs = 0
    for (const sentMs of sent) {
      freeMs = Math.max(freeMs, sentMs) + 1_200 / linkRate
      one.arrived(sentMs, 5_000 + freeMs, 1_200)
    }
    return one.result
  }

  test('that comes as it was sent shows its own rate; one that is drawn apart shows the end of the link', () => {
    expect(probe(100, 1_000)?.full).toBe(false)
    expect(probe(100, 1_000)?.rate).toBeGreaterThan(90)
    expect(probe(100, 50)?.full).toBe(true)
    expect(probe(100, 50)?.rate).toBeCloseTo(47.5)
  })

  test('that lost too much has no result', () => {
    const one = new Probe(1, 100, 0)
    for (let index = 0; index < 5; index++) one.sent(1_200)
    for (let index = 0; index < 3; index++) one.arrived(index * 10, 100 + index * 10, 1_200)
    expect(one.result).toBeUndefined()
    expect(one.over(3_000)).toBe(true)
  })
})

test('a link is tried once a second, and step by step as long as it bears each', () => {
  const plan = new ProbePlan()
  expect(plan.next(40, 250, 0)).toBe(80)
  expect(plan.next(41, 250, 500)).toBeUndefined()
  expect(plan.next(41, 250, 1_000)).toBe(82)
  expect(plan.next(80, 250, 1_200)).toBe(160)
  expect(plan.next(160, 250, 1_400)).toBe(275)
  expect(plan.next(260, 250, 1_600)).toBeUndefined()
})

test('a probe that cannot be sent, or is not told of, does not stand in the way of the next', () => {
  const probes = new Probes()
  probes.start(100, 0)
  expect(probes.due(10)).toBeGreaterThan(1_000)
  probes.start(500, 1_000)
  expect(probes.due(1_000)).toBe(101_200)
  expect(probes.due(2_500)).toBe(0)
  expect(probes.underWay).toBe(false)
  probes.start(500, 2_600)
  const id = probes.sent(1_200)
  expect(id).toBe(2)
  expect(probes.take(3_000)).toBeUndefined()
  expect(probes.underWay).toBe(true)
})

test('what was sent within a second is known however fast it was, and what is older is forgotten', () => {
  const log = new SentLog()
  for (let number = 0; number < 4_000; number++) log.sent(number, 1_000 + (number % 100), number / 4, number % 3)
  for (const number of [0, 1_999, 3_999]) {
    const slot = log.slot(number)
    expect(log.sentMs[slot]).toBe(number / 4)
    expect(log.bytes[slot]).toBe(1_000 + (number % 100))
    expect(log.probes[slot]).toBe(number % 3)
  }
  for (let number = 4_000; number < 9_000; number++) log.sent(number, 1_000, number / 4, 0)
  expect(log.slot(0)).toBe(-1)
})
