import { createSocket, type RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import { isAuthentic, readBinding } from '@porchlight/proto/net/stun.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { hasZeroTieBreaker } from '../../../../gateway/webrtc/door-binding.ts'
import { RelayDoor } from '../../../../gateway/webrtc/relay-door.ts'
import { binding, bindingSuccess, nominatedBehind } from '../../../support/attacker/stun.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const password = 'password-of-twenty-four-c'
const zero = Buffer.alloc(8)
const check = (more: Partial<Parameters<typeof binding>[0]> = {}) =>
  binding({ username: 'ours:theirs', tieBreaker: zero, useCandidate: true, password, ...more })

/** A UDP socket whose datagrams are waited for one by one. */
async function endpoint(address = '127.0.0.1', port = 0) {
  const socket = createSocket('udp4')
  socket.bind(port, address)
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
    send: (bytes: Uint8Array, port: number) => socket.send(bytes, port, address),
    next: async () => {
      if (came.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      return came.shift()!
    },
  }
}

const dtls = (text: string) => Buffer.from(`\x16${text}`)
const srtp = (text: string) => Buffer.from(`\x80${text}`, 'latin1')

type Endpoint = Awaited<ReturnType<typeof endpoint>>

async function doorBefore(engine: { port: number }, bindAddress = '127.0.0.1') {
  const clock = { now: 1_000 }
  const now = () => clock.now
  const door = await RelayDoor.open({ bindAddress, port: 0, mediaPort: engine.port, now, log: quietLog })
  onTestFinished(() => door.close())
  return Object.assign(door, { clock })
}

/** Somebody on a path, and the port that the engine sees. */
async function letIn(door: RelayDoor, engine: Endpoint, one: Endpoint, more: Parameters<typeof check>[0] = {}) {
  one.send(check(more), door.port)
  return (await engine.next()).from.port
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
  relay.send(dtls('keys'), door.port)
  expect((await engine.next()).bytes).toEqual(dtls('keys'))
  engine.send(srtp('media'), from.port)
  expect(await relay.next()).toMatchObject({ bytes: srtp('media'), from: { port: door.port } })
  const itsAnswer = bindingSuccess({ transaction, mapped: from, password: 'of-the-browser' })
  relay.send(itsAnswer, door.port)
  expect((await engine.next()).bytes).toEqual(itsAnswer)
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
  stranger.send(Buffer.alloc(0), door.port)
  stranger.send(dtls('hello'), door.port)
  stranger.send(nominatedBehind(check()), door.port)
  stranger.send(check({ password: 'another-password-that-is' }), door.port)
  stranger.send(check({ username: 'unknown:theirs' }), door.port)
  stranger.send(check({ username: 'gone:theirs' }), door.port)
  stranger.send(check({ tieBreaker: Buffer.alloc(8, 1) }), door.port)
  relay.send(check({ username: 'ours:friend' }), door.port)
  expect(readBinding((await engine.next()).bytes)?.username).toBe('ours:friend')
})

const next = { username: 'next:theirs', password: 'password-of-the-next-one-' }

test("a relay's port that comes to another session is that session's, once the one before has gone quiet", async () => {
  const [engine, relay] = [await endpoint(), await endpoint()]
  const door = await doorBefore(engine)
  door.admit('ours', password)
  door.admit('next', next.password)
  const before = await letIn(door, engine, relay)
  door.clock.now += 10_000
  relay.send(check(next), door.port)
  const after = await engine.next()
  expect(readBinding(after.bytes)?.username).toBe('next:theirs')
  expect(after.from.port).not.toBe(before)
})

test("a check for another session from a client's forged address does not cut it off", async () => {
  const [engine, relay] = [await endpoint(), await endpoint()]
  const door = await doorBefore(engine)
  door.admit('ours', password)
  door.admit('next', next.password)
  const port = await letIn(door, engine, relay)
  door.clock.now += 9_999
  relay.send(check(next), door.port)
  relay.send(check({ ...next, tieBreaker: Buffer.alloc(8, 1) }), door.port)
  relay.send(srtp('talk'), door.port)
  expect(await engine.next()).toMatchObject({ bytes: srtp('talk'), from: { port } })
})

test('who is let in reaches its own session with valid checks, and the engine with nothing but media', async () => {
  const [engine, relay] = [await endpoint(), await endpoint()]
  const door = await doorBefore(engine)
  door.admit('ours', password)
  door.admit('next', next.password)
  await letIn(door, engine, relay)
  const nonZero = Buffer.alloc(8, 1)
  relay.send(check({ ...next, tieBreaker: nonZero }), door.port)
  relay.send(check({ username: 'next:theirs', tieBreaker: nonZero }), door.port)
  relay.send(check({ password: undefined, tieBreaker: nonZero }), door.port)
  relay.send(binding({ kind: 'indication', password }), door.port)
  relay.send(Buffer.from('\x40channel data'), door.port)
  relay.send(Buffer.of(0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...Buffer.alloc(12)), door.port)
  const whole = check({ tieBreaker: nonZero })
  relay.send(whole, door.port)
  expect((await engine.next()).bytes).toEqual(whole)
})

test('a check that is replayed from elsewhere opens no way, and takes no place of the browser’s', async () => {
  const engine = await endpoint()
  const [relay, ...others] = await Promise.all(Array.from({ length: 6 }, () => endpoint()))
  const door = await doorBefore(engine)
  door.admit('ours', password)
  const caught = check()
  relay!.send(caught, door.port)
  await engine.next()
  for (const other of others) other.send(caught, door.port)
  for (const other of others) other.send(dtls('hello'), door.port)
  await letIn(door, engine, others[0]!, { useCandidate: false })
  others[0]!.send(dtls('mine'), door.port)
  expect((await engine.next()).bytes).toEqual(dtls('mine'))
})

test('a session has four ways at most, and another when one has gone quiet', async () => {
  const engine = await endpoint()
  const relays = await Promise.all(Array.from({ length: 6 }, () => endpoint()))
  const door = await doorBefore(engine)
  door.admit('ours', password)
  const ports = new Set<number>()
  for (const relay of relays.slice(0, 4)) ports.add(await letIn(door, engine, relay))
  expect(ports.size).toBe(4)
  relays[4]!.send(check(), door.port)
  door.clock.now += 20_000
  ports.add(await letIn(door, engine, relays[0]!))
  expect(ports.size).toBe(4)
  door.clock.now += 10_000
  ports.add(await letIn(door, engine, relays[5]!))
  expect(ports.size).toBe(5)
})

test('a way is over when its client makes no new check for 30 s, were the last one repeated', async () => {
  const [engine, relay, friend] = [await endpoint(), await endpoint(), await endpoint()]
  const door = await doorBefore(engine)
  door.admit('ours', password)
  const last = check()
  relay.send(last, door.port)
  const { port } = (await engine.next()).from
  const friendsPort = await letIn(door, engine, friend)
  door.clock.now += 29_999
  relay.send(last, door.port)
  expect((await engine.next()).from.port).toBe(port)
  friend.send(check(), door.port)
  await engine.next()
  door.clock.now += 1
  relay.send(last, door.port)
  relay.send(srtp('from nobody'), door.port)
  friend.send(srtp('talk'), door.port)
  expect(await engine.next()).toMatchObject({ bytes: srtp('talk'), from: { port: friendsPort } })
  // Towards the browser too; a new check opens another.
  door.clock.now += 30_000
  engine.send(srtp('to nobody'), friendsPort)
  const again = await letIn(door, engine, relay)
  engine.send(srtp('media'), again)
  expect((await relay.next()).bytes).toEqual(srtp('media'))
  const friendAgain = await letIn(door, engine, friend)
  engine.send(srtp('media'), friendAgain)
  expect((await friend.next()).bytes).toEqual(srtp('media'))
})

test("nobody but the engine speaks to a browser through the door, were it from the engine's port elsewhere", async () => {
  const engine = await endpoint('127.0.0.2')
  const relay = await endpoint('127.0.0.2')
  const door = await doorBefore(engine, '127.0.0.2')
  door.admit('ours', password)
  const port = await letIn(door, engine, relay)
  const stranger = createSocket('udp4')
  onTestFinished(() => void stranger.close())
  stranger.bind(engine.port, '127.0.0.1')
  await once(stranger, 'listening')
  await new Promise((resolve) => stranger.send(srtp('forged'), port, '127.0.0.2', resolve))
  engine.send(srtp('media'), port)
  expect((await relay.next()).bytes).toEqual(srtp('media'))
})

test('a valid check from port 0, to which nothing can be sent, is dropped', async () => {
  const bind = vi.spyOn(Socket.prototype, 'bind')
  onTestFinished(() => bind.mockRestore())
  const engine = await endpoint()
  const door = await doorBefore(engine)
  const front = bind.mock.contexts.at(-1) as Socket
  door.admit('ours', password)
  // No socket can be bound to it: as the system would hand it over.
  front.emit('message', check(), { address: '127.0.0.1', family: 'IPv4', port: 0, size: 0 })
  const relay = await endpoint()
  relay.send(check({ username: 'ours:friend' }), door.port)
  expect(readBinding((await engine.next()).bytes)?.username).toBe('ours:friend')
})

test('a way whose socket fails is given up, and the next check opens another', async () => {
  const bind = vi.spyOn(Socket.prototype, 'bind')
  onTestFinished(() => bind.mockRestore())
  const [engine, relay] = [await endpoint(), await endpoint()]
  const door = await doorBefore(engine)
  door.admit('ours', password)
  const port = await letIn(door, engine, relay)
  const back = bind.mock.contexts.at(-1) as Socket
  back.emit('error', new Error('no buffers'))
  expect(await letIn(door, engine, relay)).not.toBe(port)
})

test('a port in use is said', async () => {
  const engine = await endpoint()
  const opened = RelayDoor.open({
    bindAddress: '127.0.0.1',
    port: engine.port,
    mediaPort: 9,
    now: () => 0,
    log: quietLog,
  })
  await expect(opened).rejects.toMatchObject({ code: 'port_in_use' })
})
