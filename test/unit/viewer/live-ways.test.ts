import { PorchlightError } from '@porchlight/proto/errors.ts'
import { expect, test } from 'vitest'
import { LiveWays, wayLimits } from '../../../viewer/src/live/live-ways.ts'
import { fakeClock } from './fake-clock.ts'

const refusal = new PorchlightError('codec_unsupported')

function open() {
  const clock = fakeClock()
  return { clock, ways: new LiveWays(clock.now) }
}

test('WebRTC comes first; a camera whose codec it does not do comes the other way, at once and from then on', () => {
  const { ways } = open()
  expect(ways.choose('house.door')).toBe('webrtc')
  expect(ways.failed('house.door', 'webrtc', refusal)).toBe(true)
  expect(ways.choose('house.door')).toBe('stream')
  expect(ways.choose('house.yard')).toBe('webrtc')
})

test('what another way would not help against refuses none', () => {
  const { ways } = open()
  for (const error of [
    new PorchlightError('camera_offline'),
    new PorchlightError('sign_in_required'),
    new Error('x'),
  ]) {
    expect(ways.failed('house.door', 'webrtc', error)).toBe(false)
  }
  expect(ways.choose('house.door')).toBe('webrtc')
})

test('where no way is left that is said, and all are tried anew when asked again', () => {
  const { ways } = open()
  ways.failed('house.door', 'webrtc', new PorchlightError('webrtc_unavailable'))
  ways.failed('house.door', 'stream', refusal)
  expect(ways.choose('house.door')).toBeUndefined()
  ways.forget('house.door')
  expect(ways.choose('house.door')).toBe('webrtc')
})

test('a network that lets no WebRTC through is known after some tries, for all cameras, for a while', () => {
  const { clock, ways } = open()
  for (let tries = 0; tries < wayLimits.blocked; tries += 1) {
    expect(ways.choose('house.door')).toBe('webrtc')
    ways.blocked()
  }
  expect(ways.choose('house.door')).toBe('stream')
  expect(ways.choose('house.yard')).toBe('stream')
  clock.advance(wayLimits.forgetMs)
  expect(ways.choose('house.door')).toBe('webrtc')
})

test('a session that came through, or another network, takes that back', () => {
  const { ways } = open()
  ways.blocked()
  ways.unblocked()
  ways.blocked()
  expect(ways.choose('house.door')).toBe('webrtc')
})

test('a blocked network is no reason for a way that does not do', () => {
  const { ways } = open()
  ways.failed('house.door', 'stream', refusal)
  for (let tries = 0; tries < wayLimits.blocked; tries += 1) ways.blocked()
  expect(ways.choose('house.door')).toBe('webrtc')
})
