import { describe, expect, test } from 'vitest'
import {
  nextState,
  type SessionEvent,
  SessionMachine,
  type SessionState,
  sessionDeadlines,
} from '../../../../gateway/signaling/session-machine.ts'
import { HandTimers } from '../../../support/hand-timers.ts'

const events: SessionEvent[] = ['answered', 'proven', 'connected', 'lost', 'end']
/** state: next by event, in the order of `events`; `-` stays. */
const truth: Record<SessionState, string> = {
  answering: 'waiting - - - ended',
  waiting: '- unconnected unproven - ended',
  unconnected: '- - live - ended',
  unproven: '- live - waiting ended',
  live: '- - - interrupted ended',
  interrupted: '- - live - ended',
  ended: '- - - - -',
}
const states = Object.keys(truth) as SessionState[]

describe('session states', () => {
  test.each(states)('%s: what each event leads to', (state) => {
    const expected = truth[state].split(' ').map((next) => (next === '-' ? state : next))
    expect(events.map((event) => nextState(state, event))).toEqual(expected)
  })

  test('every state but live and ended has a deadline', () => {
    const without = states.filter((state) => sessionDeadlines[state] === undefined)
    expect(without).toEqual(['live', 'ended'])
  })

  test('from every state there is a way to the end', () => {
    for (const state of states) expect(nextState(state, 'end')).toBe('ended')
  })
})

describe('session machine', () => {
  function machine() {
    const timers = new HandTimers()
    const entered: SessionState[] = []
    const expired: SessionState[] = []
    const one = new SessionMachine(
      (state) => entered.push(state),
      (state) => expired.push(state),
      timers,
    )
    return { one, set: timers.all, entered, expired }
  }

  test('sets the deadline of each state and takes the one before back', () => {
    const { one, set, entered } = machine()
    one.event('answered')
    one.event('connected')
    one.event('proven')
    expect(entered).toEqual(['waiting', 'unproven', 'live'])
    expect(set.map(({ ms, stopped }) => [ms, stopped])).toEqual([
      [sessionDeadlines.answering, true],
      [sessionDeadlines.waiting, true],
      [sessionDeadlines.unproven, true],
    ])
  })

  test('says which state has expired', () => {
    const { set, expired } = machine()
    set[0]!.callback()
    expect(expired).toEqual(['answering'])
  })

  test('an event without meaning changes nothing', () => {
    const { one, entered } = machine()
    expect(one.event('lost')).toBe(false)
    expect(entered).toEqual([])
  })
})
