import { describe, expect, test } from 'vitest'
import { MotionModel } from '../../../../device/motion/motion-model.ts'
import { type Painting, paint } from './scene.ts'

/** Times in s at which something is seen; five frames a second. */
function seen(seconds: number, at: (atS: number) => Omit<Painting, 'atS'>, sensitivity = 0.5): number[] {
  const model = new MotionModel(sensitivity)
  const times: number[] = []
  for (let frame = 0; frame < seconds * 5; frame++) {
    const atS = frame / 5
    if (model.push(paint({ atS, ...at(atS) })).present) times.push(atS)
  }
  return times
}

const between = (times: readonly number[], from: number, to: number) =>
  times.filter((at) => at >= from && at < to).length

describe('motion model', () => {
  test('an empty scene shows nothing, neither at the start nor in noise', () => {
    expect(seen(20, () => ({}))).toEqual([])
    expect(seen(20, () => ({ grain: 12 }))).toEqual([])
    expect(seen(10, () => ({ grain: 3 }), 1)).toEqual([])
  })

  test('somebody is seen in the first frame, as long as they are there, and not after', () => {
    const times = seen(30, (at) => (at >= 8 && at < 14 ? { personAt: 5 + (at - 8) * 5 } : {}))
    expect(times[0]).toBe(8)
    expect(between(times, 8, 14)).toBe(30)
    expect(between(times, 14, 30)).toBe(0)
  })

  test('who stands still stays seen for a minute, and leaves no ghost', () => {
    const times = seen(90, (at) => (at >= 5 && at < 65 ? { personAt: 35 } : {}))
    expect(between(times, 5, 65)).toBe(300)
    expect(between(times, 66, 90)).toBe(0)
  })

  test('a thing that was put there becomes background in the end', () => {
    const times = seen(140, (at) => (at >= 5 ? { personAt: 35 } : {}))
    expect(times[0]).toBe(5)
    expect(between(times, 125, 140)).toBe(0)
  })

  test('who is there at the start and leaves is not seen for ever', () => {
    const times = seen(150, (at) => (at < 10 ? { personAt: 20 } : {}))
    expect(between(times, 0, 10)).toBe(0)
    expect(between(times, 130, 150)).toBe(0)
  })

  test.each([
    ['a lamp that goes on', (at: number) => (at < 10 ? 0.7 : 1.1)],
    ['a lamp that goes out', (at: number) => (at < 10 ? 1 : 0.35)],
    ['a cloud', (at: number) => 1 - 0.4 * Math.min(1, Math.max(0, (at - 5) / 3))],
    ['dusk', (at: number) => 1 - at / 60],
    ['exposure that hunts', (at: number) => 1 + 0.15 * Math.sin(at * 2)],
  ])('%s is no motion', (_, gain) => {
    expect(seen(40, (at) => ({ gain: gain(at) }))).toEqual([])
  })

  test('somebody is seen after the light has changed', () => {
    const times = seen(30, (at) => ({
      gain: at < 10 ? 1 : 0.5,
      ...(at >= 15 && at < 20 ? { personAt: 30, dark: 10 } : {}),
    }))
    expect(times[0]).toBeGreaterThanOrEqual(15)
    expect(between(times, 15, 20)).toBeGreaterThanOrEqual(24)
  })

  test('a picture of another size begins anew', () => {
    const model = new MotionModel(0.5)
    for (let frame = 0; frame < 20; frame++) model.push(paint({ atS: frame / 5 }))
    const half = { width: 40, height: 22, data: new Uint8Array(40 * 22).fill(200), captureMs: 5_000 }
    expect(model.push(half)).toEqual({ present: false, area: 0, lightChange: false })
  })
})
