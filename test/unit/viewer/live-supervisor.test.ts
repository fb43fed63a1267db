import { PorchlightError } from '@porchlight/proto/errors.ts'
import { expect, test } from 'vitest'
import {
  type ConnectionEvents,
  type LiveStatus,
  LiveSupervisor,
  liveLimits,
} from '../../../viewer/src/live/live-supervisor.ts'
import { fakeClock } from './fake-clock.ts'

/** A supervisor on a clock of the test's own; each attempt is answered by hand. */
function watched(random = 0.5) {
  const clock = fakeClock()
  const statuses: LiveStatus[] = []
  const attempts: { events: ConnectionEvents; signal: AbortSignal; closed: number }[] = []
  const supervisor = new LiveSupervisor({
    connect: async (events, signal) => {
      const attempt = { events, signal, closed: 0 }
      attempts.push(attempt)
      return {
        close: () => {
          attempt.closed += 1
        },
      }
    },
    onStatus: (status) => statuses.push(status),
    now: clock.now,
    timer: clock.timer,
    random: () => random,
  })
  const play = (ms: number) => {
    for (let at = 0; at < ms; at += 100) {
      attempts.at(-1)!.events.frame()
      clock.advance(100)
    }
  }
  return { clock, statuses, attempts, supervisor, play, last: () => statuses.at(-1)! }
}

test('only a frame on the screen makes it live', async () => {
  const { supervisor, attempts, last } = watched()
  supervisor.start()
  await Promise.resolve()
  expect(last()).toEqual({ state: 'connecting' })
  attempts[0]!.events.frame()
  expect(last()).toEqual({ state: 'live' })
  supervisor.close()
  expect(attempts[0]!.closed).toBe(1)
})

test('a picture that stands still is not live: the connection is made anew', async () => {
  const { supervisor, clock, attempts, statuses, last, play } = watched()
  supervisor.start()
  await Promise.resolve()
  play(2_000)
  clock.advance(liveLimits.frozenMs - 200)
  expect(last().state).toBe('live')
  clock.advance(1_000)
  expect(statuses).toContainEqual(expect.objectContaining({ state: 'reconnecting', error: 'picture_frozen' }))
  expect(attempts[0]!.closed).toBe(1)
  expect(attempts).toHaveLength(2)
  expect(last().state).toBe('reconnecting')
})

test('a picture that arrives but is not shown is said not to be live, and keeps its connection for a while', async () => {
  const { supervisor, clock, attempts, last, play } = watched()
  const arrive = (ms: number) => {
    for (let at = 0; at < ms; at += 500) {
      attempts[0]!.events.arrived()
      clock.advance(500)
    }
  }
  supervisor.start()
  await Promise.resolve()
  play(1_000)
  arrive(liveLimits.frozenMs + 1_000)
  expect(last()).toEqual({ state: 'reconnecting', error: 'picture_frozen' })
  play(1_000)
  expect(last()).toEqual({ state: 'live' })
  expect(attempts[0]!.closed).toBe(0)
  arrive(liveLimits.stuckMs + 1_000)
  expect(attempts[0]!.closed).toBe(1)
  expect(attempts).toHaveLength(2)
})

test('a connection without a first frame ends by its deadline', async () => {
  const { supervisor, clock, attempts, statuses } = watched()
  supervisor.start()
  await Promise.resolve()
  clock.advance(liveLimits.firstFrameMs + liveLimits.watchMs)
  expect(statuses).toContainEqual(expect.objectContaining({ state: 'reconnecting', error: 'session_timeout' }))
  expect(attempts[0]!.signal.aborted).toBe(true)
})

test('waits grow with each failure in a row, and begin anew after a steady picture', async () => {
  const { supervisor, clock, attempts, statuses, play, last } = watched()
  supervisor.start()
  const waits: number[] = []
  for (let i = 0; i < 7; i++) {
    attempts.at(-1)!.events.lost(new PorchlightError('gateway_unreachable'))
    waits.push(last().retryAt! - clock.now())
    clock.advance(waits.at(-1)!)
  }
  expect(waits).toEqual([400, 800, 1_600, 3_200, 6_400, 7_500, 7_500])
  expect(statuses.filter(({ state }) => state === 'connecting')).toHaveLength(1)
  play(liveLimits.steadyMs + 200)
  attempts.at(-1)!.events.lost(new PorchlightError('session_ended'))
  expect(last().retryAt! - clock.now()).toBe(400)
})

test('what trying again cannot help is said and left alone, until a person asks', () => {
  const { supervisor, clock, attempts, last } = watched()
  supervisor.start()
  attempts[0]!.events.lost(new PorchlightError('codec_unsupported'))
  expect(last()).toEqual({ state: 'failed', error: 'codec_unsupported' })
  clock.advance(600_000)
  expect(attempts).toHaveLength(1)
  supervisor.retryNow()
  expect(attempts).toHaveLength(2)
})

test('an offline camera is waited for, and tried at once when it is back', () => {
  const { supervisor, clock, attempts, last } = watched()
  supervisor.start()
  attempts[0]!.events.lost(new PorchlightError('camera_offline'))
  expect(last()).toMatchObject({ state: 'offline', error: 'camera_offline' })
  supervisor.setCameraOnline(false)
  clock.advance(5_000)
  expect(attempts).toHaveLength(1)
  supervisor.setCameraOnline(true)
  expect(attempts).toHaveLength(2)
  expect(last().state).toBe('connecting')
})

test('a camera that is off is let go of at once, and seen again as soon as it is on', async () => {
  const { supervisor, clock, attempts, last, play } = watched()
  supervisor.start()
  await Promise.resolve()
  play(1_000)
  supervisor.setCameraOff(true)
  expect(last()).toEqual({ state: 'off', error: 'camera_off' })
  expect(attempts[0]!.closed).toBe(1)
  clock.advance(600_000)
  supervisor.retryNow()
  expect(attempts).toHaveLength(1)
  supervisor.setCameraOff(false)
  expect(attempts).toHaveLength(2)
  // The gateway's answer may come ahead of the notice.
  attempts[1]!.events.lost(new PorchlightError('camera_off'))
  expect(last()).toMatchObject({ state: 'off', error: 'camera_off' })
})

test('frames on the screen are believed more than the notice that the camera is offline', async () => {
  const { supervisor, clock, last, play } = watched()
  supervisor.start()
  await Promise.resolve()
  play(1_000)
  supervisor.setCameraOnline(false)
  play(1_000)
  expect(last().state).toBe('live')
  clock.advance(liveLimits.frozenMs + liveLimits.watchMs)
  expect(last().state).toBe('offline')
})

test('a hidden page is not taken for a frozen picture; it lets go after a while and comes back when looked at', async () => {
  const { supervisor, clock, attempts, last, play } = watched()
  supervisor.start()
  await Promise.resolve()
  play(1_000)
  supervisor.setVisible(false)
  clock.advance(10_000)
  supervisor.setVisible(true)
  clock.advance(1_000)
  expect(last().state).toBe('live')
  supervisor.setVisible(false)
  clock.advance(liveLimits.hiddenMs)
  expect(attempts[0]!.closed).toBe(1)
  expect(last().state).toBe('reconnecting')
  clock.advance(600_000)
  expect(attempts).toHaveLength(1)
  supervisor.setVisible(true)
  expect(attempts).toHaveLength(2)
})

test('a connection that comes after its attempt was given up is closed', async () => {
  const clock = fakeClock()
  const late = Promise.withResolvers<{ close(): void }>()
  let closed = 0
  const supervisor = new LiveSupervisor({
    connect: () => late.promise,
    onStatus: () => {},
    now: clock.now,
    timer: clock.timer,
    random: () => 0.5,
  })
  supervisor.start()
  supervisor.close()
  late.resolve({ close: () => closed++ })
  await late.promise
  await Promise.resolve()
  expect(closed).toBe(1)
})
