import { expect, test } from 'vitest'
import { wantedClip } from '../../../viewer/src/earlier/wanted-clip.ts'

test('what is wanted stays the same while it goes on, though there is more of it each second', () => {
  const wanted = { fromMs: 1_000.4, toMs: 61_000 }
  const before = wantedClip('door', wanted, 30_000)
  const after = wantedClip('door', wanted, 31_000)
  expect(before.span).toEqual({ fromMs: 1_000, toMs: 30_000 })
  expect(after.wish).toBe(before.wish)
  expect(after.path).not.toBe(before.path)
  expect(wantedClip('door', { ...wanted, toMs: 62_000 }, 31_000).wish).not.toBe(before.wish)
})
