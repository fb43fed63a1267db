import { describe, expect, test } from 'vitest'
import { Pacer, priority } from '../../../../device/webrtc/pacer.ts'

function pacer(at: { ms: number }, options: { rate?: number; burstBytes?: number; maxBytes?: number } = {}) {
  return new Pacer<string>({ rate: 8_000_000, burstBytes: 1_000, maxBytes: 10_000, now: () => at.ms, ...options })
}

/** Everything that may leave now. */
function takeAll(from: Pacer<string>): string[] {
  const items: string[] = []
  for (let item = from.take(); item !== undefined; item = from.take()) items.push(item)
  return items
}

describe('pacer', () => {
  test('lets a burst go at once and the rest at its rate', () => {
    const at = { ms: 0 }
    const paced = pacer(at)
    for (const item of ['a', 'b', 'c', 'd']) paced.push(item, 1_000, priority.video)
    expect(takeAll(paced)).toEqual(['a'])
    expect(paced.waitMs()).toBeCloseTo(0.001, 5) // in debt of nothing: the next byte's time
    at.ms += 1 // 1000 bytes at 8 Mbit/s
    expect(takeAll(paced)).toEqual(['b'])
    at.ms += 0.5
    expect(takeAll(paced)).toEqual(['c'])
    expect(paced.waitMs()).toBeCloseTo(0.501, 3)
    at.ms += 1_000
    expect(takeAll(paced)).toEqual(['d'])
    expect(paced.waitMs()).toBeUndefined()
  })

  test('sound goes ahead of repetitions, and those ahead of pictures', () => {
    const paced = pacer({ ms: 0 }, { burstBytes: 10_000 })
    paced.push('picture', 100, priority.video)
    paced.push('again', 100, priority.repeat)
    paced.push('sound', 100, priority.audio)
    expect(takeAll(paced)).toEqual(['sound', 'again', 'picture'])
  })

  test('refuses what does not fit, and forgets what is cleared', () => {
    const paced = pacer({ ms: 0 }, { maxBytes: 1_500, burstBytes: 5_000 })
    expect(paced.push('a', 1_000, priority.video)).toBe(true)
    expect(paced.push('b', 1_000, priority.video)).toBe(false)
    paced.push('s', 100, priority.audio)
    paced.clear(priority.video)
    expect(paced.bytes).toBe(100)
    expect(takeAll(paced)).toEqual(['s'])
    expect(paced.bytes).toBe(0)
  })

  test('a pause earns no more than a burst; a changed rate counts from then on', () => {
    const at = { ms: 0 }
    const paced = pacer(at)
    at.ms = 60_000
    for (const item of ['a', 'b', 'c']) paced.push(item, 600, priority.video)
    expect(takeAll(paced)).toEqual(['a', 'b'])
    paced.rate = 800_000
    expect(paced.waitMs()).toBeCloseTo(2.01, 1) // 200 bytes of debt
  })
})
