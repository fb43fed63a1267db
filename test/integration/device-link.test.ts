import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import type { Event } from '@porchlight/proto/messages/event.ts'
import type { Presence } from '@porchlight/proto/messages/presence.ts'
import { Aedes } from 'aedes'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Link, type LinkOptions } from '../../device/link/link.ts'
import { OutboxFile } from '../../device/link/outbox-file.ts'
import { quietLog } from '../support/quiet-log.ts'
import { tempDir } from '../support/temp-dir.ts'

interface Published {
  topic: string
  retain: boolean
  json: Record<string, unknown>
}

/** An MQTT 3.1.1 broker that can be away, with what was published to it. */
class TestBroker {
  readonly published: Published[] = []
  readonly clients: { id: string; user: string | undefined; password: string }[] = []
  accept = true
  port = 0
  #aedes: Aedes | undefined
  #server: Server | undefined
  readonly #sockets = new Set<Socket>()
  readonly #changed = new Set<() => void>()

  async start(): Promise<void> {
    const aedes = await Aedes.createBroker({
      authenticate: (client, user, password, done) => {
        this.clients.push({ id: client.id, user, password: password?.toString() ?? '' })
        done(null, this.accept)
      },
    })
    aedes.on('publish', (packet) => {
      // What devices publish, and their wills; not what the test sends.
      if (!/\/(presence|cameras|event|signal\/up)$/.test(packet.topic)) return
      const json = JSON.parse(packet.payload.toString()) as Record<string, unknown>
      this.published.push({ topic: packet.topic, retain: packet.retain, json })
      this.#tell()
    })
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      aedes.handle(socket)
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    server.listen(this.port, '127.0.0.1', resolve)
    await promise
    this.port = (server.address() as AddressInfo).port
    this.#aedes = aedes
    this.#server = server
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#server === undefined) return
    this.#server.close(() => resolve())
    this.cut()
    await promise
    const closed = Promise.withResolvers<void>()
    this.#aedes?.close(() => closed.resolve())
    await closed.promise
    this.#server = undefined
  }

  send(topic: string, json: unknown): void {
    const payload = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
    this.#aedes?.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, () => undefined)
  }

  async until<T>(find: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined && found !== false) return found
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#changed.add(resolve)
      await promise
    }
  }

  on(suffix: string): Record<string, unknown>[] {
    return this.published.filter(({ topic }) => topic === `pl/v1/d/porch/${suffix}`).map(({ json }) => json)
  }

  #tell(): void {
    for (const resolve of this.#changed) resolve()
    this.#changed.clear()
  }
}

let broker: TestBroker
let link: Link
let epoch: number
let dataDir: string
let states: boolean[]
let commands: unknown[]
let signals: unknown[]
let waiters: (() => void)[]

/** Resolves when the link has said something to its owner that makes `condition` true. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiters.push(resolve)
    await promise
  }
}
const tell = () => {
  for (const resolve of waiters.splice(0)) resolve()
}

function makeLink(more: Partial<LinkOptions> = {}): Link {
  return new Link({
    enrolment: {
      device: 'porch',
      gatewayKey: 'k'.repeat(43),
      api: 'http://127.0.0.1:4880',
      broker: `mqtt://127.0.0.1:${broker.port}`,
    },
    bootId: 'boot-0001',
    version: '0.1.0',
    limits: { keepaliveSeconds: 15, outboxEvents: 16, outboxHours: 1, backoffMaxSeconds: 1 },
    outboxFile: new OutboxFile(dataDir, Date.now, quietLog),
    monotonic: () => performance.now(),
    nextEpoch: async () => {
      epoch += 1
      return epoch
    },
    token: () => `token-${epoch}`,
    authority: async () => undefined,
    cameras: () => [{ camera: 'door', title: 'Door', kind: 'doorbell', state: 'live', motion: 'on', notes: [] }],
    on: {
      command: (command) => {
        commands.push(command)
        tell()
      },
      signal: (signal) => {
        signals.push(signal)
        tell()
      },
      online: (online) => {
        states.push(online)
        tell()
      },
    },
    now: Date.now,
    random: () => 0.1,
    log: quietLog,
    ...more,
  })
}

const motion = (eventId: string, phase: Event['phase'] = 'begin') => ({
  eventId,
  camera: 'door',
  kind: 'motion' as const,
  phase,
  at: Date.now(),
})
const offer = {
  session: 'session-1',
  camera: 'door',
  bootId: 'boot-0001',
  sdp: 'v=0',
  nonce: 'n'.repeat(24),
  signature: 's'.repeat(86),
}
const fromGateway = (id: string, more: object) => ({ v: 1, id, ts: Date.now(), ttl: 10_000, from: 'gateway', ...more })

beforeEach(async () => {
  dataDir = await tempDir()
  broker = new TestBroker()
  await broker.start()
  epoch = 10
  states = []
  commands = []
  signals = []
  waiters = []
  link = makeLink()
})
afterEach(async () => {
  await link.close()
  await broker.stop()
})

describe('device link', () => {
  it('says hello with its epoch, and goodbye', async () => {
    link.start()
    await until(() => link.online)
    expect(broker.clients).toEqual([{ id: 'porch', user: 'porch', password: 'token-11' }])
    const presence = broker.published.find(({ topic }) => topic.endsWith('/presence'))
    expect(presence).toMatchObject({ retain: true, json: { online: true, epoch: 11, bootId: 'boot-0001' } })
    expect(broker.on('cameras')).toMatchObject([{ cameras: [{ camera: 'door', state: 'live' }] }])
    await link.close()
    await link.close()
    expect(broker.on('presence').at(-1)).toMatchObject({ online: false, epoch: 11 })
    expect(broker.on('presence')).toHaveLength(2)
  })

  it('leaves its will when the line is cut, and comes back with a higher epoch and a fresh credential', async () => {
    link.start()
    await until(() => link.online)
    broker.cut()
    await broker.until(() => broker.on('presence').some((presence) => presence.online === false))
    await until(() => states.length === 3)
    expect(states).toEqual([true, false, true])
    const told = broker.on('presence') as unknown as Presence[]
    expect(told.filter((presence) => presence.online).map((presence) => presence.epoch)).toEqual([11, 12])
    expect(told.find((presence) => !presence.online)?.epoch).toBe(11)
    expect(broker.clients.at(-1)?.password).toBe('token-12')
  })

  it('keeps events while the broker is away: in order, once, without an offer', async () => {
    link.start()
    await until(() => link.online)
    await broker.stop()
    await until(() => !link.online)
    link.publishEvent({ ...motion('event-001'), offer })
    link.publishEvent(motion('event-001', 'active'))
    link.publishEvent(motion('event-001', 'end'))
    link.publishEvent({ ...motion('event-002'), offer })
    expect(link.counters.outbox).toBe(3)
    await broker.start()
    await broker.until(() => broker.on('event').length === 3)
    const told = broker.on('event') as unknown as Event[]
    expect(told.map((event) => `${event.eventId} ${event.phase}`)).toEqual([
      'event-001 begin',
      'event-001 end',
      'event-002 begin',
    ])
    expect(told.some((event) => event.offer !== undefined)).toBe(false)
    expect(link.counters.dropped).toBe(0)
  })

  it('keeps events that wait over a restart, and forgets them when the broker has them', async () => {
    await broker.stop()
    link.start()
    link.publishEvent({ ...motion('event-001'), offer })
    link.publishEvent(motion('event-001', 'end'))
    await link.close()
    link = makeLink({ bootId: 'boot-0002' })
    expect(link.counters.outbox).toBe(2)
    await broker.start()
    link.start()
    await broker.until(() => broker.on('event').length === 2)
    const told = broker.on('event') as unknown as Event[]
    expect(told.map(({ phase, bootId }) => `${phase} ${bootId}`)).toEqual(['begin boot-0001', 'end boot-0001'])
    expect(told[0]).not.toHaveProperty('offer')
    await expect.poll(() => link.counters.outbox).toBe(0)
    await link.close()
    link = makeLink({ bootId: 'boot-0003' })
    expect(link.counters.outbox).toBe(0)
  })

  it('carries the offer in an event when the line is up', async () => {
    link.start()
    await until(() => link.online)
    link.publishEvent({ ...motion('event-001'), offer })
    await broker.until(() => broker.on('event').length === 1)
    expect(broker.on('event')[0]).toMatchObject({ offer, bootId: 'boot-0001', from: 'porch' })
  })

  it('sends signals now or not at all', async () => {
    const bye = { type: 'bye' as const, session: 'session-1', seq: 1, reason: 'closed' }
    await expect(link.sendSignal(bye)).rejects.toMatchObject({ code: 'broker_unreachable' })
    link.start()
    await until(() => link.online)
    await link.sendSignal(bye)
    expect(broker.on('signal/up')).toMatchObject([{ ...bye, ttl: 15_000 }])
  })

  it('answers hello, passes commands and signals on, and refuses the rest', async () => {
    link.start()
    await until(() => link.online)
    const topic = 'pl/v1/d/porch/command'
    broker.send(topic, fromGateway('message-1', { type: 'hello' }))
    await broker.until(() => broker.on('presence').length === 2 && broker.on('cameras').length === 2)
    broker.send(topic, 'not json')
    broker.send(topic, fromGateway('message-2', { type: 'stream', camera: 'door', from: 'garage' }))
    broker.send(topic, fromGateway('message-3', { type: 'stream', camera: 'door', ts: Date.now() - 60_000 }))
    broker.send(topic, fromGateway('message-1', { type: 'stream', camera: 'door' }))
    broker.send(topic, fromGateway('message-4', { type: 'stream', camera: 'door' }))
    const bye = { type: 'bye', session: 'session-1', seq: 0, reason: 'closed' }
    broker.send('pl/v1/d/porch/signal/down', fromGateway('message-5', bye))
    await until(() => commands.length === 1 && signals.length === 1)
    expect(commands).toMatchObject([{ id: 'message-4', type: 'stream' }])
    expect(Object.fromEntries(link.counters.refused)).toEqual({
      message_invalid: 1,
      message_foreign: 1,
      message_expired: 1,
      message_replayed: 1,
    })
  })

  it('says that the broker refuses its credential, and keeps trying', async () => {
    broker.accept = false
    link.start()
    await expect.poll(() => link.error, { timeout: 20_000 }).toBe('broker_auth')
    broker.accept = true
    await until(() => link.online)
    expect(link.error).toBeUndefined()
  })

  it('closes while it connects', async () => {
    await broker.stop()
    link.start()
    await link.close()
    expect(link.online).toBe(false)
  })
})
