import { expect, test } from 'vitest'
import { placeInSprite } from '../../../viewer/src/earlier/sprite-place.ts'

test('the picture of a moment is the last one before it; before the first, the first', () => {
  const plan = { width: 160, height: 90, columns: 4, pictures: [0, 5_000, 10_000, 15_000, 30_000] }
  const size = { width: 160, height: 90 }
  expect(placeInSprite(plan, 4_999)).toEqual({ x: 0, y: 0, ...size })
  expect(placeInSprite(plan, 5_000)).toEqual({ x: 160, y: 0, ...size })
  expect(placeInSprite(plan, 29_000)).toEqual({ x: 480, y: 0, ...size })
  expect(placeInSprite(plan, 59_000)).toEqual({ x: 0, y: 90, ...size })
  expect(placeInSprite(plan, -1)).toEqual({ x: 0, y: 0, ...size })
})
