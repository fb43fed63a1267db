import type { Event } from '@porchlight/proto/messages/event.ts'
import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../../device/link/outbox.ts'

const offer: Event['offer'] = {
  session: 'session-1',
  camera: 'door',
  bootId: 'boot-0001',
  sdp: 'v=0',
  nonce: 'n'.repeat(24),
  signature: 's'.repeat(86),
}
const event = (id: string, more: Partial<Event> = {}): Event => ({
  v: 1,
  id: `message-${id}`,
  ts: 0,
  from: 'porch',
  type: 'event',
  eventId: `event-${id}`,
  camera: 'door',
  kind: 'motion',
  phase: 'begin',
  at: 0,
  bootId: 'boot-0001',
  ...more,
})
const ids = (events: Event[]) => events.map((one) => one.id)

describe('Outbox', () => {
  it('gives each event once, in order, until the connection breaks', () => {
    const outbox = new Outbox({ events: 10, ageMs: 1_000 })
    outbox.add(event('a'), 0)
    outbox.add(event('b'), 0)
    expect(ids(outbox.take(0))).toEqual(['message-a', 'message-b'])
    expect(outbox.take(0)).toEqual([])
    outbox.acknowledged('message-a')
    outbox.interrupted()
    expect(ids(outbox.take(0))).toEqual(['message-b'])
  })

  it('takes the offer off an event that had to wait, and forgets signs of life', () => {
    const outbox = new Outbox({ events: 10, ageMs: 1_000 })
    outbox.add(event('a', { offer }), 0)
    outbox.add(event('b', { phase: 'active' }), 0)
    expect(outbox.take(0)[0]?.offer).toBeDefined()
    outbox.interrupted()
    const again = outbox.take(0)
    expect(ids(again)).toEqual(['message-a'])
    expect(again[0]?.offer).toBeUndefined()
  })

  it('drops the oldest beyond its number and its age, and counts', () => {
    const outbox = new Outbox({ events: 2, ageMs: 1_000 })
    outbox.add(event('a'), 0)
    outbox.add(event('b'), 500)
    outbox.add(event('c'), 600)
    expect(outbox.dropped).toBe(1)
    expect(ids(outbox.take(1_550))).toEqual(['message-c'])
    expect(outbox.dropped).toBe(2)
  })

  it('gives what a restart must not lose, and takes it up ahead of what is new', () => {
    const outbox = new Outbox({ events: 3, ageMs: 1_000 })
    outbox.add(event('a', { offer }), 0)
    outbox.add(event('b', { phase: 'active' }), 100)
    outbox.add(event('c'), 200)
    const kept = outbox.kept(300)
    expect(kept.map(({ event: { id, offer: none }, ageMs }) => [id, none, ageMs])).toEqual([
      ['message-a', undefined, 300],
      ['message-c', undefined, 100],
    ])
    const next = new Outbox({ events: 3, ageMs: 1_000 })
    next.add(event('d'), 50)
    next.restore(kept, 100)
    expect(ids(next.take(100))).toEqual(['message-a', 'message-c', 'message-d'])
    next.interrupted()
    // 300 ms old when it was restored at 100
    expect(ids(next.take(900))).toEqual(['message-c', 'message-d'])
  })
})
