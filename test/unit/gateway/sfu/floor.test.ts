import { PorchlightError } from '@porchlight/proto/errors.ts'
import { expect, test } from 'vitest'
import { Floor } from '../../../../gateway/sfu/floor.ts'

test('one talker at a time, by a lease that ends by itself', () => {
  let now = 0
  const floor = new Floor(() => now, 5_000)
  expect(floor.take('a', 'Ann')).toEqual({ session: 'a', name: 'Ann', until: 5_000 })
  expect(() => floor.take('b', 'Ben')).toThrow(new PorchlightError('floor_taken', 'Ann'))
  now = 4_000
  expect(floor.take('a', 'Ann').until).toBe(9_000)
  expect(floor.release('b')).toBe(false)
  expect(floor.holds('a')).toBe(true)
  now = 9_000
  expect(floor.holder).toBeUndefined()
  expect(floor.take('b', 'Ben').session).toBe('b')
  expect(floor.release('b')).toBe(true)
  expect(floor.holder).toBeUndefined()
})
