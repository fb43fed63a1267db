import { describe, expect, it } from 'vitest'
import { isNewerPresence } from '../../../../gateway/cameras/presence-rule.ts'

const at = (epoch: number, online: boolean, bootId = 'boot-a-00') => ({ epoch, online, bootId })

describe('isNewerPresence', () => {
  it.each([
    ['the first word counts', undefined, at(3, true), true],
    ['the first word counts, a farewell too', undefined, at(3, false), true],
    ['a newer connection wins', at(3, false), at(4, true), true],
    ['a newer connection wins over one still thought online', at(3, true), at(4, true), true],
    ['a farewell of a newer connection wins', at(3, true), at(4, false), true],
    ['the will of an older connection does not', at(4, true), at(3, false), false],
    ['an older greeting does not', at(4, false), at(3, true), false],
    ['offline after online at the same epoch', at(4, true), at(4, false), true],
    ['online never comes back at the same epoch', at(4, false), at(4, true), false],
    ['a repeated greeting is no news', at(4, true), at(4, true), false],
    ['a repeated farewell is no news', at(4, false), at(4, false), false],
    ['a new boot counts on', at(4, true), at(5, true, 'boot-b-00'), true],
    ['a new boot does not win by being new', at(4, true), at(3, true, 'boot-b-00'), false],
  ])('%s', (_name, known, next, expected) => {
    expect(isNewerPresence(known, next)).toBe(expected)
  })
})
