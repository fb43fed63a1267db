import { describe, expect, test } from 'vitest'
import { MotionEvents } from '../../../../device/motion/motion-events.ts'

function events(holdMs = 2_000) {
  const told: [string, number][] = []
  const on = {
    begin: (at: number) => told.push(['begin', at]),
    active: (at: number) => told.push(['active', at]),
    end: (at: number) => told.push(['end', at]),
  }
  return { told, events: new MotionEvents({ holdMs, activeEveryMs: 1_000, on }) }
}

describe('motion events', () => {
  test('begin is the first sign, end the last one plus hold, active in between', () => {
    const { told, events: motion } = events()
    for (let at = 0; at <= 6_000; at += 200) motion.sight(at, at >= 1_000 && at <= 3_000)
    expect(told).toEqual([
      ['begin', 1_000],
      ['active', 2_200],
      ['end', 5_000],
    ])
  })

  test('one frame alone begins nothing; a pause shorter than the hold ends nothing', () => {
    const { told, events: motion } = events()
    motion.sight(0, true)
    for (let at = 200; at < 4_000; at += 200) motion.sight(at, false)
    expect(told).toEqual([])
    for (let at = 4_000; at < 9_000; at += 200) motion.sight(at, at % 2_000 < 400)
    expect(told.map(([kind]) => kind).filter((kind) => kind !== 'active')).toEqual(['begin'])
  })

  test('a camera that shows nothing any more ends its event, once', () => {
    const { told, events: motion } = events()
    motion.sight(0, true)
    motion.sight(200, true)
    motion.tick(7_000)
    expect(motion.active).toBe(true)
    motion.tick(7_300)
    motion.tick(20_000)
    motion.finish()
    expect(told).toEqual([
      ['begin', 0],
      ['end', 2_200],
    ])
  })
})
