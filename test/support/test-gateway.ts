import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { loadConfig } from '@porchlight/proto/config.ts'
import { makeDeviceToken } from '@porchlight/proto/identity/device-token.ts'
import { generateIdentity, type Identity } from '@porchlight/proto/identity/keys.ts'
import type { CameraState } from '@porchlight/proto/messages/cameras.ts'
import { camerasTopic, deviceMaySubscribe, presenceTopic } from '@porchlight/proto/topics.ts'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { commands, runCommand } from '../../gateway/cli/commands.ts'
import { gatewayConfigSchema } from '../../gateway/config/schema.ts'
import { type Gateway, startGateway } from '../../gateway/gateway.ts'
import type { AtEnd } from './child.ts'
import { quietLog } from './quiet-log.ts'

/** The gateway in this process, on ports of its own. */
export class TestGateway {
  readonly directory: string
  readonly #settings: Record<string, unknown>
  #gateway: Gateway | undefined

  private constructor(directory: string, settings: Record<string, unknown>) {
    this.directory = directory
    this.#settings = settings
  }

  static async open(atEnd: AtEnd, settings: Record<string, unknown> = {}): Promise<TestGateway> {
    const directory = await mkdtemp(join(tmpdir(), 'porchlight-gateway-'))
    atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
    const gateway = new TestGateway(directory, settings)
    atEnd(() => gateway.close())
    await gateway.start()
    return gateway
  }

  get running(): Gateway {
    if (!this.#gateway) throw new Error('the gateway is not running')
    return this.#gateway
  }

  get url(): string {
    return this.running.addresses.url
  }

  get brokerUrl(): string {
    return `mqtt://127.0.0.1:${this.running.addresses.brokerPort}`
  }

  async start(): Promise<void> {
    this.#gateway = await startGateway(this.#config(), quietLog)
  }

  async close(): Promise<void> {
    await this.#gateway?.close()
    this.#gateway = undefined
  }

  /** `gateway NAME WORDS --flags` beside the running gateway; what it prints. */
  async cli(
    name: string,
    words: string[] = [],
    flags: Record<string, string[]> = {},
    switches: string[] = [],
  ): Promise<string[]> {
    const lines: string[] = []
    await runCommand(commands[name]!, {
      ...{ config: this.#config(), words, flags: new Map(Object.entries(flags)), log: quietLog, now: Date.now },
      switches: new Set(switches),
      terminal: { write: () => undefined },
      stdout: new PassThrough(),
      out: (line) => lines.push(line),
    })
    return lines
  }

  /** Signs a browser in. @returns headers of its further requests */
  async signIn(): Promise<{ cookie: string; origin: string }> {
    const [link = ''] = await this.cli('link')
    const response = await fetch(`${this.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.url },
      body: JSON.stringify({ token: link.slice(link.indexOf('token=') + 6) }),
    })
    return { cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '', origin: this.url }
  }

  /** Enrols a device of the test. */
  async enrol(name: string): Promise<TestDevice> {
    const identity = generateIdentity()
    await this.cli('enroll', [name], { key: [identity.publicKey] })
    return new TestDevice(this, name, identity)
  }

  #config() {
    const base = {
      dataDir: this.directory,
      http: { port: 0 },
      media: { port: 0 },
      broker: { port: 0 },
      push: { allowInsecure: true },
    }
    const text = JSON.stringify({ ...base, ...this.#settings })
    return loadConfig(gatewayConfigSchema, { file: { path: 'test', text }, env: {}, envPrefix: 'X_', argv: [] }).config
  }
}

/** A device that only speaks MQTT. */
export class TestDevice {
  readonly name: string
  readonly identity: Identity
  readonly #gateway: TestGateway

  constructor(gateway: TestGateway, name: string, identity: Identity) {
    this.#gateway = gateway
    this.name = name
    this.identity = identity
  }

  token(): string {
    return makeDeviceToken(this.name, this.#gateway.running.addresses.gatewayKey, this.identity.privateKey, Date.now())
  }

  async connect(atEnd: AtEnd, options: IClientOptions = {}): Promise<MqttClient> {
    const client = await connectAsync(this.#gateway.brokerUrl, {
      clientId: this.name,
      username: this.name,
      password: this.token(),
      reconnectPeriod: 0,
      ...options,
    })
    client.on('error', () => undefined)
    atEnd(async () => {
      await client.endAsync(true)
    })
    return client
  }

  /** Connects, says that it is there, and lists cameras. */
  async come(atEnd: AtEnd, cameras: Partial<CameraState>[] = [{}], epoch = 1): Promise<MqttClient> {
    const presence = { type: 'presence', bootId: 'boot-1234', epoch, version: '0.1.0' }
    const client = await this.connect(atEnd, {
      will: {
        topic: presenceTopic(this.name),
        payload: Buffer.from(JSON.stringify(this.envelope({ ...presence, online: false }))),
        qos: 1,
        retain: true,
      },
    })
    await client.subscribeAsync(
      deviceMaySubscribe.map((suffix) => `pl/v1/d/${this.name}/${suffix}`),
      { qos: 1 },
    )
    await this.publish(client, presenceTopic(this.name), { ...presence, online: true }, true)
    const states = cameras.map((state) => ({
      ...{ camera: 'door', title: 'Front door', kind: 'doorbell', state: 'live', motion: 'on', notes: [] },
      ...state,
    }))
    await this.publish(client, camerasTopic(this.name), { type: 'cameras', bootId: 'boot-1234', cameras: states }, true)
    return client
  }

  async publish(client: MqttClient, topic: string, body: object, retain = false): Promise<void> {
    await client.publishAsync(topic, JSON.stringify(this.envelope(body)), { qos: 1, retain })
  }

  envelope(body: object): object {
    return { v: 1, id: randomUUID(), ts: Date.now(), from: this.name, ...body }
  }
}
