import { describe, expect, it } from 'vitest'
import { readPublication } from '../../../../gateway/broker/edge.ts'
import { SeenIds } from '../../../../gateway/broker/seen-ids.ts'

const now = 1_000_000
const presence = {
  v: 1,
  id: 'message-1',
  ts: now,
  from: 'porch',
  type: 'presence',
  online: true,
  bootId: 'boot-1234',
  epoch: 1,
  version: '0.1.0',
}
const event = {
  v: 1,
  id: 'message-2',
  ts: now,
  from: 'porch',
  type: 'event',
  eventId: 'event-123',
  camera: 'door',
  kind: 'ring',
  phase: 'begin',
  at: now,
  bootId: 'boot-1234',
}

function read(topic: string, message: unknown, at = now, seen = new SeenIds(10)) {
  const payload = message instanceof Uint8Array ? message : Buffer.from(JSON.stringify(message))
  return readPublication(topic, payload, () => seen, at)
}

describe('readPublication', () => {
  it('takes what fits', () => {
    expect(read('pl/v1/d/porch/presence', presence)).toMatchObject({ kind: 'presence', device: 'porch' })
    expect(read('pl/v1/d/porch/event', event)).toMatchObject({ kind: 'event', message: { eventId: 'event-123' } })
  })

  it.each([
    ['another topic', 'pl/v1/d/porch/command', presence, 'message_invalid'],
    ['a foreign topic', 'pl/v1/x', presence, 'message_invalid'],
    ['the wrong message on a topic', 'pl/v1/d/porch/event', presence, 'message_invalid'],
    ['not JSON', 'pl/v1/d/porch/event', Buffer.from('{'), 'message_invalid'],
    ['not UTF-8', 'pl/v1/d/porch/event', Buffer.from([0xff, 0xfe]), 'message_invalid'],
    ['too large', 'pl/v1/d/porch/event', Buffer.alloc(65_537, 0x20), 'message_too_large'],
    ['another sender', 'pl/v1/d/garden/event', event, 'message_foreign'],
    ['too old', 'pl/v1/d/porch/event', { ...event, ttl: 1_000, ts: now - 3_001 }, 'message_expired'],
  ])('refuses %s', (_name, topic, message, code) => {
    expect(() => read(topic, message)).toThrow(expect.objectContaining({ code }))
  })

  it('refuses an event that was seen, but takes a state again', () => {
    const seen = new SeenIds(10)
    read('pl/v1/d/porch/event', event, now, seen)
    expect(() => read('pl/v1/d/porch/event', event, now, seen)).toThrow(
      expect.objectContaining({ code: 'message_replayed' }),
    )
    read('pl/v1/d/porch/presence', presence, now, seen)
    read('pl/v1/d/porch/presence', presence, now, seen)
  })
})

describe('SeenIds', () => {
  it('forgets the oldest first', () => {
    const seen = new SeenIds(2)
    expect([seen.add('a'), seen.add('b'), seen.add('a'), seen.add('c'), seen.add('b'), seen.add('a')]).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
    ])
  })
})
