import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { generateIdentity } from '@porchlight/proto/identity/keys.ts'
import { commandTopic, eventTopic, presenceTopic, signalDownTopic } from '@porchlight/proto/topics.ts'
import { connectAsync } from 'mqtt'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EmbeddedBroker } from '../../gateway/broker/embedded-broker.ts'
import { Metrics } from '../../gateway/metrics/metrics.ts'
import { startMosquitto } from '../support/mosquitto.ts'
import { closed, grantedOf } from '../support/mqtt-client.ts'
import { quietLog } from '../support/quiet-log.ts'
import { tempDir } from '../support/temp-dir.ts'
import { TestDevice, TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'

const atEnd = onTestFinished

async function setUp() {
  const gateway = await TestGateway.open(atEnd)
  return { gateway, porch: await gateway.enrol('porch') }
}

const online = async (gateway: TestGateway) => {
  const headers = await gateway.signIn()
  const response = await fetch(`${gateway.url}/api/cameras`, { headers })
  const { cameras } = (await response.json()) as { cameras: { id: string; online: boolean }[] }
  return cameras.find((camera) => camera.id === 'porch.door')?.online
}

describe('the embedded broker', () => {
  it('lets a device in, hears it, and sees it go', async () => {
    const { gateway, porch } = await setUp()
    const client = await porch.come(atEnd)
    await until('the device online', () => online(gateway))
    client.stream.destroy()
    await until('the device offline', async () => (await online(gateway)) === false)
  })

  it.each([
    ['nobody', { username: undefined, password: undefined }],
    ['a forged token', { password: 'porch.99999999999999.x' }],
    ['another name than its own', { username: 'garden' }],
    ['another client id than its own', { clientId: 'garden' }],
    ['the gateway’s name', { username: 'gateway', clientId: 'gateway' }],
    [
      'a will on another topic',
      { will: { topic: presenceTopic('garden'), payload: Buffer.from('{}'), qos: 1, retain: true } },
    ],
  ] as const)('refuses %s', async (_name, options) => {
    const { porch } = await setUp()
    await expect(porch.connect(atEnd, options)).rejects.toMatchObject({ code: expect.toBeOneOf([4, 5]) })
  })

  it('refuses a device that is not enrolled', async () => {
    const { gateway } = await setUp()
    const stranger = new TestDevice(gateway, 'garden', generateIdentity())
    await expect(stranger.connect(atEnd)).rejects.toMatchObject({ code: 4 })
  })

  it('keeps a device to its own topics', async () => {
    const { porch } = await setUp()
    const client = await porch.connect(atEnd)
    const filters = ['#', commandTopic('garden'), 'pl/v1/d/+/command', commandTopic('porch')]
    expect(await grantedOf(client, filters)).toEqual([commandTopic('porch')])
    const over = closed(client)
    client.publish(eventTopic('garden'), '{}', { qos: 0 })
    await over
  })

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a CONNECT of a megabyte', Buffer.from([0x10, 0x80, 0x80, 0x40, 0, 4])],
    ['a length that never ends', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['a broken CONNECT', Buffer.from([0x10, 0x03, 0xff, 0xff, 0xff])],
  ])('cuts %s', async (_name, bytes) => {
    const { gateway, porch } = await setUp()
    const socket = dial(gateway.running.addresses.brokerPort!, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    socket.write(bytes)
    await once(socket, 'close')
    await porch.connect(atEnd)
  })

  it('cuts a packet that is larger than a message may be', async () => {
    const { porch } = await setUp()
    const client = await porch.connect(atEnd)
    const over = closed(client)
    client.publish(eventTopic('porch'), Buffer.alloc(70_000), { qos: 0 })
    await over
  })

  it('cuts a device that is revoked', async () => {
    const { gateway, porch } = await setUp()
    const client = await porch.come(atEnd)
    const over = closed(client)
    await gateway.cli('revoke', ['porch'])
    await over
    await expect(porch.connect(atEnd)).rejects.toMatchObject({ code: 4 })
    expect((await gateway.cli('devices'))[0]).toMatch(/^porch +revoked/)
  })

  it('is bound to loopback only, until there is TLS', async () => {
    const options = { port: 0, tls: undefined, devices: { check: () => Promise.reject(new Error()) } }
    const opening = EmbeddedBroker.open({ host: '0.0.0.0', ...options, metrics: new Metrics(), log: quietLog })
    await expect(opening).rejects.toMatchObject({ code: 'config_invalid' })
  })
})

describe('the gateway’s end of the broker', () => {
  it('asks for a stream when an event comes without an offer, and drops what does not belong', async () => {
    const { gateway, porch } = await setUp()
    const client = await porch.come(atEnd)
    const commands: { type: string; camera?: string }[] = []
    const asked = Promise.withResolvers<void>()
    client.on('message', (topic, payload) => {
      expect([commandTopic('porch'), signalDownTopic('porch')]).toContain(topic)
      commands.push(JSON.parse(payload.toString()) as { type: string })
      if (commands.at(-1)?.type === 'stream') asked.resolve()
    })
    const event = {
      type: 'event',
      eventId: 'event-001',
      camera: 'door',
      kind: 'ring',
      phase: 'begin',
      at: Date.now(),
      bootId: 'boot-1234',
    }
    await client.publishAsync(eventTopic('porch'), 'nonsense', { qos: 1 })
    await client.publishAsync(eventTopic('porch'), JSON.stringify({ ...porch.envelope(event), from: 'garden' }), {
      qos: 1,
    })
    await porch.publish(client, eventTopic('porch'), event)
    await asked.promise
    expect(commands.filter(({ type }) => type === 'stream')).toMatchObject([{ camera: 'door' }])
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).toContain('porchlight_messages_dropped_total{code="message_invalid"} 1')
    expect(metrics).toContain('porchlight_messages_dropped_total{code="message_foreign"} 1')
  })

  it('works with Mosquitto in place of the embedded broker, and comes back when that does', async () => {
    const users = { gateway: 'secret-of-gateway', porch: 'secret-of-porch' }
    const acl = [
      ...[
        'user gateway',
        'topic read pl/v1/d/+/#',
        'topic write pl/v1/d/+/command',
        'topic write pl/v1/d/+/signal/down',
      ],
      ...['user porch', 'topic readwrite pl/v1/d/porch/#'],
    ]
    const folder = await tempDir()
    const mosquitto = await startMosquitto({ folder, users, acl }, atEnd)
    const broker = { mode: 'url', url: mosquitto.url, user: 'gateway', password: users.gateway }
    const gateway = await TestGateway.open(atEnd, { broker })
    expect(gateway.running.addresses.brokerPort).toBeUndefined()
    const porch = await gateway.enrol('porch')
    const come = async (epoch: number) => {
      const client = await connectAsync(mosquitto.url, {
        clientId: 'porch',
        username: 'porch',
        password: users.porch,
        reconnectPeriod: 0,
      })
      atEnd(async () => {
        await client.endAsync(true)
      })
      const say = (suffix: string, body: object) => porch.publish(client, `pl/v1/d/porch/${suffix}`, body, true)
      await say('presence', { type: 'presence', online: true, bootId: 'boot-1234', epoch, version: '0.1.0' })
      const door = { camera: 'door', title: 'Front door', kind: 'doorbell', state: 'live', motion: 'on', notes: [] }
      await say('cameras', { type: 'cameras', bootId: 'boot-1234', cameras: [door] })
      return client
    }
    const first = await come(1)
    await until('the device online', () => online(gateway))
    first.on('error', () => undefined)
    await mosquitto.kill()
    const health = async () => ((await (await fetch(`${gateway.url}/api/health`)).json()) as { broker: boolean }).broker
    await until('the gateway sees the broker gone', async () => !(await health()))
    await startMosquitto({ folder, users, acl, port: mosquitto.port }, atEnd)
    await until('the gateway is back', health)
  })
})
