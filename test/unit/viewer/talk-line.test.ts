import { PorchlightError } from '@porchlight/proto/errors.ts'
import { expect, test } from 'vitest'
import { TalkLine, type TalkStatus } from '../../../viewer/src/talk/talk-line.ts'
import { fakeClock } from './fake-clock.ts'

function line() {
  const clock = fakeClock()
  const floor = { next: () => Promise.resolve({ leaseMs: 3_000 }) as Promise<{ leaseMs: number }> }
  const microphone = { next: () => Promise.resolve('voice') }
  const calls: string[] = []
  const statuses: TalkStatus[] = []
  const talk = new TalkLine<string>({
    takeFloor: () => {
      calls.push('take')
      return floor.next()
    },
    releaseFloor: async () => {
      calls.push('release')
    },
    openMicrophone: () => microphone.next(),
    send: async (track) => {
      calls.push(`send ${track}`)
    },
    restMicrophone: () => calls.push('rest'),
    onStatus: (status) => statuses.push(status),
    timer: clock.timer,
  })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return { clock, floor, microphone, calls, statuses, talk, settle }
}

test('holding sends the microphone once floor and microphone are there; letting go gives both back', async () => {
  const { talk, calls, statuses, settle } = line()
  talk.press()
  expect(statuses).toEqual([{ state: 'opening' }])
  await settle()
  expect(statuses.at(-1)).toEqual({ state: 'talking' })
  talk.release()
  await settle()
  expect(calls).toEqual(['take', 'send voice', 'rest', 'send null', 'release'])
  expect(statuses.at(-1)).toEqual({ state: 'idle' })
})

test('the lease is renewed three times as often as it needs, and no more after letting go', async () => {
  const { talk, calls, clock, settle } = line()
  talk.press()
  await settle()
  for (let i = 0; i < 3; i++) {
    clock.advance(1_000)
    await settle()
  }
  expect(calls.filter((call) => call === 'take')).toHaveLength(4)
  talk.release()
  clock.advance(60_000)
  await settle()
  expect(calls.filter((call) => call === 'take')).toHaveLength(4)
})

test('a taken floor, at the press or at a renewal, ends the talk and says why', async () => {
  const { talk, calls, clock, floor, statuses, settle } = line()
  floor.next = () => Promise.reject(new PorchlightError('floor_taken'))
  talk.press()
  await settle()
  expect(statuses.at(-1)).toMatchObject({ state: 'refused', error: { code: 'floor_taken' } })
  expect(calls).not.toContain('send voice')

  floor.next = () => Promise.resolve({ leaseMs: 3_000 })
  talk.press()
  await settle()
  floor.next = () => Promise.reject(new PorchlightError('floor_taken'))
  clock.advance(1_000)
  await settle()
  expect(statuses.at(-1)?.state).toBe('refused')
  expect(calls.at(-2)).toBe('send null')
})

test('a floor that comes after the button was let go is given back', async () => {
  const { talk, calls, floor, settle } = line()
  const late = Promise.withResolvers<{ leaseMs: number }>()
  floor.next = () => late.promise
  talk.press()
  talk.release()
  await settle()
  late.resolve({ leaseMs: 3_000 })
  await settle()
  expect(calls).not.toContain('send voice')
  expect(calls.at(-1)).toBe('release')
})

test('without a microphone the floor is given back', async () => {
  const { talk, calls, microphone, statuses, settle } = line()
  microphone.next = () => Promise.reject(new PorchlightError('microphone_denied'))
  talk.press()
  await settle()
  expect(statuses.at(-1)).toMatchObject({ state: 'refused', error: { code: 'microphone_denied' } })
  expect(calls).toContain('release')
})
