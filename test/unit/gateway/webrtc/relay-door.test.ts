import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { RelayDoor } from '../../../../gateway/webrtc/relay-door.ts'
import { hasZeroTieBreaker, isAuthentic, readBinding } from '../../../../gateway/webrtc/stun-binding.ts'
import { binding, bindingSuccess } from '../../../support/attacker/stun.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const password = 'password-of-twenty-four-c'
const zero = Buffer.alloc(8)
const check = (more: Partial<Parameters<typeof binding>[0]> = {}) =>
  binding({ username: 'ours:theirs', tieBreaker: zero, useCandidate: true, password, ...more })

/** A UDP socket whose datagrams are waited for one by one. */
async function endpoint() {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  const came: { bytes: Buffer; from: RemoteInfo }[] = []
  const waiting: (() => void)[] = []
  socket.on('message', (bytes, from) => {
    came.push({ bytes, from })
    waiting.shift()?.()
  })
  return {
    port: socket.address().port,
    send: (bytes: Uint8Array, port: number) => socket.send(bytes, port, '127.0.0.1'),
    next: async () => {
      if (came.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      return came.shift()!
    },
  }
}

async function doorBefore(engine: { port: number }) {
  const door = await RelayDoor.open({ bindAddress: '127.0.0.1', port: 0, mediaPort: engine.port, log: quietLog })
  onTestFinished(() => door.close())
  return door
}

test("a session's check gets a tie-breaker on its way in, and its answer the address it came from on the way out", async () => {
  const [engine, relay] = [await endpoint(), await endpoint()]
  const door = await doorBefore(engine)
  door.admit('ours', password)
  relay.send(check(), door.port)
  const { bytes, from } = await engine.next()
  const seen = readBinding(bytes)!
  expect(seen.username).toBe('ours:theirs')
  expect(hasZeroTieBreaker(seen)).toBe(false)
  expect(isAuthentic(seen, password)).toBe(true)
  // RFC 8489 §14.7: as the one who made the check would have sealed it.
  const tieBreaker = bytes.subarray(seen.tieBreakerAt!, seen.tieBreakerAt! + 8)
  expect(bytes.subarray(20)).toEqual(check({ tieBreaker, transaction: bytes.subarray(8, 20) }).subarray(20))

  const transaction = bytes.subarray(8, 20)
  engine.send(bindingSuccess({ transaction, mapped: from, password }), from.port)
  const answer = (await relay.next()).bytes
  expect(answer).toEqual(bindingSuccess({ transaction, mapped: { address: '127.0.0.1', port: relay.port }, password }))

  // From then on all goes through: keys, media, the engine's own checks.
  relay.send(Buffer.from('dtls'), door.port)
  expect((await engine.next()).bytes.toString()).toBe('dtls')
  engine.send(Buffer.from('srtp'), from.port)
  expect(await relay.next()).toMatchObject({ bytes: Buffer.from('srtp'), from: { port: door.port } })
  // The tie-breaker of a path stays (RFC 8445 §16.1).
  relay.send(check(), door.port)
  const again = readBinding((await engine.next()).bytes)!
  expect(again.bytes.subarray(again.tieBreakerAt!, again.tieBreakerAt! + 8)).toEqual(tieBreaker)
})

test('nobody else is let in', async () => {
  const [engine, stranger, relay] = [await endpoint(), await endpoint(), await endpoint()]
  const door = await doorBefore(engine)
  const shut = door.admit('gone', password)
  shut()
  shut()
  door.admit('ours', password)
  stranger.send(Buffer.from('noise'), door.port)
  stranger.send(check({ password: 'another-password-that-is' }), door.port)
  stranger.send(check({ username: 'unknown:theirs' }), door.port)
  stranger.send(check({ username: 'gone:theirs' }), door.port)
  stranger.send(check({ tieBreaker: Buffer.alloc(8, 1) }), door.port)
  relay.send(check({ username: 'ours:friend' }), door.port)
  expect(readBinding((await engine.next()).bytes)?.username).toBe('ours:friend')
})

test("a relay's port that comes to another session is that session's", async () => {
  const [engine, relay] = [await endpoint(), await endpoint()]
  const door = await doorBefore(engine)
  door.admit('ours', password)
  door.admit('next', 'password-of-the-next-one-')
  relay.send(check(), door.port)
  const before = await engine.next()
  relay.send(check({ username: 'next:theirs', password: 'password-of-the-next-one-' }), door.port)
  const after = await engine.next()
  expect(readBinding(after.bytes)?.username).toBe('next:theirs')
  expect(after.from.port).not.toBe(before.from.port)
})

test('a port in use is said', async () => {
  const engine = await endpoint()
  const opened = RelayDoor.open({ bindAddress: '127.0.0.1', port: engine.port, mediaPort: 9, log: quietLog })
  await expect(opened).rejects.toMatchObject({ code: 'port_in_use' })
})
