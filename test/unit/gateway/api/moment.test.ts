import fc from 'fast-check'
import { expect, test } from 'vitest'
import { moment } from '../../../../gateway/api/moment.ts'

const read = (text: string) => moment.safeParse(text).data

test('ms and ISO 8601 mean the same moment', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 253_402_300_799_999 }),
      fc.integer({ min: -839, max: 839 }),
      (ms, minutes) => {
        expect(read(String(ms))).toBe(ms)
        expect(read(new Date(ms).toISOString())).toBe(ms)
        const local = ms + minutes * 60_000
        if (local < 0 || local > 253_402_300_799_999) return
        const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
        const offset = `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`
        expect(read(new Date(local).toISOString().replace('Z', offset))).toBe(ms)
      },
    ),
  )
})

test('whatever text comes, it is a moment or it is refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+.:TZe\d ]{0,42}$/)), (text) => {
      const ms = read(text)
      if (ms !== undefined) expect(new Date(ms).getTime()).toBe(Math.trunc(ms))
    }),
  )
})

test.each([
  ['1700000000000.5', 1_700_000_000_000.5],
  ['2023-11-14T22:13:20Z', 1_700_000_000_000],
  ['2023-11-14T23:13:20+01:00', 1_700_000_000_000],
  // the `+` of an address that was not escaped
  ['2023-11-14T23:13:20 01:00', 1_700_000_000_000],
  ['2023-11-14T22:13:20', undefined],
  ['2023-11-14', undefined],
  ['2023-02-30T00:00:00Z', undefined],
  ['-1', undefined],
  ['1e12', undefined],
  ['9999999999999999', undefined],
  ['', undefined],
  ['now', undefined],
])('%s', (text, ms) => {
  expect(read(text)).toBe(ms)
})
