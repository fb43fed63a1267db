import { describe, expect, it } from 'vitest'
import { mayLeaveWill, mayPublish, maySubscribe, type Peer } from '../../../../gateway/broker/device-policy.ts'

const porch: Peer = { kind: 'device', device: 'porch' }
const gateway: Peer = { kind: 'gateway' }

describe('mayPublish', () => {
  it.each([
    [porch, 'pl/v1/d/porch/presence', true, true],
    [porch, 'pl/v1/d/porch/presence', false, true],
    [porch, 'pl/v1/d/porch/cameras', true, true],
    [porch, 'pl/v1/d/porch/event', false, true],
    [porch, 'pl/v1/d/porch/event', true, false],
    [porch, 'pl/v1/d/porch/signal/up', false, true],
    [porch, 'pl/v1/d/porch/signal/up', true, false],
    [porch, 'pl/v1/d/porch/signal/down', false, false],
    [porch, 'pl/v1/d/porch/command', false, false],
    [porch, 'pl/v1/d/porch/else', false, false],
    [porch, 'pl/v1/d/garden/event', false, false],
    [porch, 'pl/v1/d/porch2/event', false, false],
    [porch, 'pl/v1/d/porch/event/x', false, false],
    [porch, 'pl/v1/v/event', false, false],
    [porch, '$SYS/x', false, false],
    [porch, 'pl/v1/d/+/event', false, false],
    [gateway, 'pl/v1/d/porch/command', false, true],
    [gateway, 'pl/v1/d/porch/signal/down', false, true],
    [gateway, 'pl/v1/d/porch/command', true, false],
    [gateway, 'pl/v1/d/porch/event', false, false],
  ] as const)('%j %s retain %s: %s', (peer, topic, retain, expected) => {
    expect(mayPublish(peer, topic, retain)).toBe(expected)
  })
})

describe('maySubscribe', () => {
  it.each([
    [porch, 'pl/v1/d/porch/command', true],
    [porch, 'pl/v1/d/porch/signal/down', true],
    [porch, 'pl/v1/d/porch/signal/up', false],
    [porch, 'pl/v1/d/garden/command', false],
    [porch, 'pl/v1/d/porch/#', false],
    [porch, 'pl/v1/d/+/command', false],
    [porch, '#', false],
    [porch, '$share/x/pl/v1/d/porch/command', false],
    [gateway, 'pl/v1/d/+/event', true],
    [gateway, '#', false],
    [gateway, 'pl/v1/d/porch/event', false],
  ] as const)('%j %s: %s', (peer, filter, expected) => {
    expect(maySubscribe(peer, filter)).toBe(expected)
  })
})

describe('mayLeaveWill', () => {
  it('only presence of its own', () => {
    expect(mayLeaveWill(porch, 'pl/v1/d/porch/presence')).toBe(true)
    expect(mayLeaveWill(porch, 'pl/v1/d/garden/presence')).toBe(false)
    expect(mayLeaveWill(porch, 'pl/v1/d/porch/event')).toBe(false)
    expect(mayLeaveWill(gateway, 'pl/v1/d/porch/presence')).toBe(false)
  })
})
