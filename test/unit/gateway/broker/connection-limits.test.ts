import { describe, expect, it } from 'vitest'
import { ConnectionLimits, type Place } from '../../../../gateway/broker/connection-limits.ts'

const place = (value: Place | string): Place => {
  if (typeof value === 'string') throw new Error(value)
  return value
}

describe('ConnectionLimits', () => {
  it('bounds the unproven per address and in all, and everybody', () => {
    const limits = new ConnectionLimits({ total: 4, pending: 3, pendingPerAddress: 2 })
    const first = place(limits.enter('a'))
    place(limits.enter('a'))
    expect(limits.enter('a')).toBe('address')
    place(limits.enter('b'))
    expect(limits.enter('c')).toBe('total')
    first.admit()
    first.admit()
    place(limits.enter('c'))
    expect(limits.enter('d')).toBe('total')
    first.leave()
    first.leave()
    expect(limits.enter('d')).toBe('total')
  })

  it('gives a place back, admitted or not', () => {
    const limits = new ConnectionLimits({ total: 1, pending: 1, pendingPerAddress: 1 })
    for (const admit of [true, false, true]) {
      const held = place(limits.enter('a'))
      if (admit) held.admit()
      expect(limits.enter('a')).toBe('total')
      held.leave()
    }
  })
})
