import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ModeSettings, modeAt, weekdays } from '../../../../gateway/config/recording-mode.ts'

// Friday, local time
const friday = (time: string) => new Date(`2026-11-20T${time}:00`)
const saturday = (time: string) => new Date(`2026-11-21T${time}:00`)

const nights: ModeSettings = {
  mode: 'events',
  schedule: [{ days: ['fri'], from: '22:00', to: '06:30', mode: 'continuous' }],
}

test.each([
  ['before it begins', friday('21:59'), 'events'],
  ['from its first minute', friday('22:00'), 'continuous'],
  ['past midnight, although the next day is not named', saturday('06:29'), 'continuous'],
  ['no longer from its end', saturday('06:30'), 'events'],
  ['not on the evening of the next day', saturday('22:00'), 'events'],
  ['not on the morning of its own day, which belongs to the day before', friday('03:00'), 'events'],
] as const)('a night that is recorded: %s', (_, at, mode) => {
  expect(modeAt(nights, at)).toBe(mode)
})

test('the first that fits counts', () => {
  const lunch = { days: [...weekdays], from: '12:00', to: '13:00', mode: 'events' as const }
  const day = { days: [...weekdays], from: '08:00', to: '18:00', mode: 'continuous' as const }
  expect(modeAt({ mode: 'events', schedule: [lunch, day] }, friday('12:30'))).toBe('events')
  expect(modeAt({ mode: 'events', schedule: [lunch, day] }, friday('13:00'))).toBe('continuous')
})

test('from a time to the same time is a whole day', () => {
  const schedule = [{ days: ['fri' as const], from: '00:00', to: '00:00', mode: 'continuous' as const }]
  expect(modeAt({ mode: 'events', schedule }, friday('23:59'))).toBe('continuous')
  expect(modeAt({ mode: 'events', schedule }, saturday('00:00'))).toBe('events')
})

test('a schedule of every day and its opposite never say the same', () => {
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([hours, minutes]) => `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`)
  fc.assert(
    fc.property(time, time, time, (from, to, now) => {
      fc.pre(from !== to)
      const at = (begin: string, end: string) =>
        modeAt(
          { mode: 'events', schedule: [{ days: [...weekdays], from: begin, to: end, mode: 'continuous' }] },
          friday(now),
        )
      expect(at(from, to)).not.toBe(at(to, from))
    }),
  )
})
