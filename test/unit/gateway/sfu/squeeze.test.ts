import { describe, expect, test } from 'vitest'
import { decideBacklog, leastStep, squeezedTimestamp } from '../../../../gateway/sfu/squeeze.ts'

describe('squeezed timestamps', () => {
  test('a late frame gets the time of its sending', () => {
    const time = squeezedTimestamp({ natural: 1000, live: 90_000, previous: undefined, squeezing: true, last: false })
    expect(time).toEqual({ timestamp: 90_000, squeezing: true })
  })

  test('a whole group: times strictly grow, end with the natural one, and are never before it', () => {
    let previous: number | undefined
    let squeezing = true
    const live = 360_000
    const times: number[] = []
    for (let frame = 0; frame <= 100; frame++) {
      const natural = frame * 3_600
      const time = squeezedTimestamp({ natural, live: live - 1_800, previous, squeezing, last: frame === 100 })
      expect(time.timestamp).toBeGreaterThanOrEqual(natural)
      if (previous !== undefined) expect(time.timestamp - previous).toBeGreaterThanOrEqual(leastStep)
      previous = time.timestamp
      squeezing = time.squeezing
      times.push(time.timestamp)
    }
    expect(times.at(-1)).toBe(360_000)
    expect(squeezing).toBe(false)
    expect(times.at(-1)! - times[0]!).toBeLessThan(3_600)
  })

  test('the natural time waits until it is ahead of what was sent', () => {
    const time = squeezedTimestamp({ natural: 5_000, live: 5_000, previous: 5_100, squeezing: true, last: true })
    expect(time).toEqual({ timestamp: 5_100 + leastStep, squeezing: true })
  })

  test('without squeezing times are the natural ones, whatever their order', () => {
    const time = squeezedTimestamp({ natural: 100, live: 9_000, previous: 500, squeezing: false, last: false })
    expect(time).toEqual({ timestamp: 100, squeezing: false })
  })
})

describe('what to do with a backlog', () => {
  const facts = {
    bytes: 500_000,
    rate: 1_000,
    streamRate: 250,
    probing: false,
    newerKeyframe: false,
    bytesToKeyframe: 0,
    msToNextKeyframe: 2_000,
  }
  test.each([
    ['drains before the next keyframe', {}, 'send'],
    ['the keyframe comes before it drains, and the link is narrow', { rate: 400, msToNextKeyframe: 500 }, 'wait'],
    ['the same with a link that bears twice the stream', { msToNextKeyframe: 500 }, 'send'],
    ['the link bears less than the stream', { rate: 200 }, 'wait'],
    ['… or may bear more: not known yet', { rate: 200, probing: true }, 'send'],
    ['nothing is known of the next keyframe', { msToNextKeyframe: Number.POSITIVE_INFINITY }, 'send'],
    ['a newer keyframe is there', { newerKeyframe: true, bytesToKeyframe: 400_000 }, 'jump'],
    ['a newer keyframe is there, and near', { newerKeyframe: true, bytesToKeyframe: 20_000 }, 'send'],
  ] as const)('%s', (_, change, decision) => {
    expect(decideBacklog({ ...facts, ...change })).toBe(decision)
  })
})
