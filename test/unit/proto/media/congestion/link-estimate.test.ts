import { LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { describe, expect, test } from 'vitest'
import { Pacer } from '../../../../../gateway/sfu/pacer.ts'

interface Link {
  /** bytes per ms */
  rate: number
  rttMs: number
  queueMs: number
}

/** Sends `bytes` through a link as fast as estimate and pacer let; feedback every 100 ms as Chromium gives it. */
function drain(link: Link, bytes: number, feedbackMs = 100) {
  const estimate = new LinkEstimate()
  const pacer = new Pacer()
  const size = 1_150
  let left = bytes
  let sequence = 0
  let freeAt = 0
  let lost = 0
  let worstQueueMs = 0
  const arriving: { sequence: number; atMs: number | undefined }[] = []
  let lastArrival = 0
  for (let now = 0; now < 20_000; now += 2) {
    while (left > 0 && pacer.budget(now, estimate.rate) > 0) {
      estimate.sent(sequence & 0xffff, size, now)
      pacer.spend(size)
      left -= size
      const begin = Math.max(now, freeAt)
      if (begin - now > link.queueMs) {
        lost++
        arriving.push({ sequence: sequence & 0xffff, atMs: undefined })
      } else {
        worstQueueMs = Math.max(worstQueueMs, begin - now)
        freeAt = begin + size / link.rate
        lastArrival = freeAt + link.rttMs / 2
        arriving.push({ sequence: sequence & 0xffff, atMs: lastArrival })
      }
      sequence++
    }
    if (now % feedbackMs === 0 && now > 0) {
      const until = now - link.rttMs / 2
      const seen = arriving.findLastIndex(({ atMs }) => atMs !== undefined && atMs <= until) + 1
      if (seen > 0) {
        const arrivals = arriving.splice(0, seen).map(({ sequence: number, atMs }) => ({
          sequence: number,
          atUs: atMs === undefined ? undefined : Math.round(atMs * 4) * 250,
        }))
        estimate.feedback({ type: 'twcc', sender: 1, media: 1, feedback: 0, arrivals }, now)
      }
    }
    if (left <= 0 && now >= lastArrival) return { ms: lastArrival, lost, worstQueueMs, estimate }
  }
  throw new Error('never drained')
}

describe('link estimate and pacer', () => {
  test('on a local network a group of 1 MB is through in a quarter of a second', () => {
    const { ms, lost } = drain({ rate: 50_000, rttMs: 0.2, queueMs: 200 }, 1_000_000)
    expect(lost).toBe(0)
    expect(ms).toBeLessThanOrEqual(250)
  })

  test('8 Mbit/s and 50 ms: nothing is lost, the queue stays short, most of the link is used', () => {
    const { ms, lost, worstQueueMs } = drain({ rate: 1_000, rttMs: 50, queueMs: 150 }, 1_000_000)
    expect(lost).toBe(0)
    expect(worstQueueMs).toBeLessThan(120)
    expect(ms).toBeLessThan(1_500)
  })

  test('2 Mbit/s and 100 ms: it finds down from its beginning', () => {
    const { estimate, lost } = drain({ rate: 250, rttMs: 100, queueMs: 600 }, 500_000)
    expect(lost).toBeLessThan(20)
    expect(estimate.rate).toBeLessThan(400)
    expect(estimate.probing).toBe(false)
  })

  test('without feedback nothing grows; receiver reports raise it, loss takes it back', () => {
    const estimate = new LinkEstimate()
    const block = {
      ssrc: 1,
      fractionLost: 0,
      packetsLost: 0,
      highestSequence: 0,
      jitter: 0,
      lastSr: 0,
      delaySinceLastSr: 0,
    }
    const { rate } = estimate
    estimate.report(block, 1_000)
    expect(estimate.rate).toBe(rate * 2)
    estimate.report({ ...block, fractionLost: 64 }, 2_000)
    expect(estimate.rate).toBe(rate * 2 * (1 - 0.25 / 2))
  })
})

test('the pacer lets one keyframe go at once, then what the rate earns', () => {
  const pacer = new Pacer()
  expect(pacer.budget(0, 100)).toBe(64_000)
  pacer.spend(64_000)
  expect(pacer.budget(10, 100)).toBe(1_000)
  pacer.spend(5_000)
  expect(pacer.budget(20, 100)).toBe(-3_000)
  expect(pacer.budget(10_000, 100)).toBe(6_000)
})
