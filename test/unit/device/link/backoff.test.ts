import { describe, expect, it } from 'vitest'
import { Backoff } from '../../../../device/link/backoff.ts'

describe('Backoff', () => {
  it('doubles its ceiling up to the bound and takes any wait below it', () => {
    const high = new Backoff(4_000, () => 0.999)
    expect([0, 1, 2, 3, 4].map(() => Math.round(high.next()))).toEqual([500, 999, 1998, 3996, 3996])
    high.reset()
    expect(Math.round(high.next())).toBe(500)
    expect(new Backoff(4_000, () => 0).next()).toBe(0)
  })

  it('stays finite after very many attempts', () => {
    const backoff = new Backoff(30_000, () => 1)
    for (let attempt = 0; attempt < 5_000; attempt += 1) expect(backoff.next()).toBeLessThanOrEqual(30_000)
  })
})
