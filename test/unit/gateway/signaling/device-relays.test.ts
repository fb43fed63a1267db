import { expect, test } from 'vitest'
import { DeviceRelays } from '../../../../gateway/signaling/device-relays.ts'
import type { CommandBody } from '../../../../gateway/signaling/signal-body.ts'
import { fakeClock } from '../../viewer/fake-clock.ts'

test('a device is told its relay when it comes and at half the life of what it was told, until it goes', () => {
  const clock = fakeClock()
  const told: [string, CommandBody][] = []
  using relays = new DeviceRelays({
    relayFor: (name) => ({ urls: ['turn:x'], username: name, credential: `${clock.now()}`, seconds: 600 }),
    command: (...message) => told.push(message),
    timers: { set: clock.timer },
  })
  relays.online('porch', true)
  relays.online('porch', true)
  expect(told).toHaveLength(2)
  expect(told[0]).toEqual([
    'porch',
    { type: 'relay', urls: ['turn:x'], username: 'porch', credential: '1000000', seconds: 600 },
  ])
  clock.advance(300_000)
  expect(told).toHaveLength(3)
  expect(told[2]?.[1]).toMatchObject({ credential: '1300000' })
  relays.online('porch', false)
  relays.online('garden', true)
  relays.close()
  clock.advance(3_600_000)
  expect(told.slice(3).map(([device]) => device)).toEqual(['garden'])
})
