import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toCameraId } from '@porchlight/proto/ids.ts'
import type { CameraNotice, EventNotice } from '@porchlight/proto/messages/notice.ts'
import { localTokenFile } from '../../device/identity/local-token.ts'
import { nodeEnvironment } from '../../device/node-environment.ts'
import { type AtEnd, type Child, runToEnd, startNode } from './child.ts'
import { freePort, freeUdpPort } from './ports.ts'
import type { PushSubscriptionJson } from './push-service.ts'
import { until } from './until.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const gatewayMain = join(root, 'gateway/main.ts')
const deviceMain = join(root, 'device/main.ts')

/** Settings as their config files have them. */
type Settings = Record<string, unknown>
type Environment = Readonly<Record<string, string>>

/** The real gateway, a process of its own on fixed ports, so that it is found again after a restart. */
export class GatewayHouse {
  readonly directory: string
  readonly url: string
  readonly mediaPort: number
  readonly brokerPort: number
  readonly #configPath: string
  readonly #atEnd: AtEnd
  readonly #env: Environment
  #child: Child | undefined
  #token: string | undefined

  private constructor(directory: string, ports: [number, number, number], atEnd: AtEnd, env: Environment) {
    this.directory = directory
    this.url = `http://127.0.0.1:${ports[0]}`
    this.mediaPort = ports[1]
    this.brokerPort = ports[2]
    this.#configPath = join(directory, 'gateway.json')
    this.#atEnd = atEnd
    this.#env = env
  }

  /** @param env over the environment of the tests */
  static async open(atEnd: AtEnd, settings: Settings = {}, env: Environment = {}): Promise<GatewayHouse> {
    const directory = await mkdtemp(join(tmpdir(), 'porchlight-house-'))
    atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
    const { http, media, broker, ...others } = settings as Record<string, Settings | undefined>
    const config = {
      dataDir: join(directory, 'gateway'),
      http: { port: await freePort(), ...http },
      media: { port: await freeUdpPort(), ...media },
      broker: { port: await freePort(), ...broker },
      house: 'Test house',
      ...others,
    }
    const house = new GatewayHouse(directory, [config.http.port, config.media.port, config.broker.port], atEnd, env)
    await writeFile(house.#configPath, JSON.stringify(config))
    await house.start()
    return house
  }

  get process(): Child {
    if (this.#child === undefined) throw new Error('the gateway is not running')
    return this.#child
  }

  async start(): Promise<void> {
    const args = ['run', '--ready-json', '--config', this.#configPath]
    this.#child = startNode(gatewayMain, { args, env: this.#env }, this.#atEnd)
    await this.#child.json((line) => line.ready === true)
  }

  /** Runs `gateway ARGS` beside the running gateway and gives what it prints. */
  async cli(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runToEnd(process.execPath, [
      gatewayMain,
      ...args,
      '--config',
      this.#configPath,
    ])
    if (code !== 0) throw new Error(`gateway ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  /** A fresh one-time sign-in link. */
  async signInLink(): Promise<string> {
    return (await this.cli('link')).split('\n')[0]!
  }

  /** A request as the signed-in owner. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    this.#token ??= await this.#signIn()
    return fetch(this.url + path, { ...init, headers: { origin: this.url, cookie: this.#token, ...init.headers } })
  }

  async json<T>(path: string): Promise<T> {
    const response = await this.fetch(path)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  /** Subscribes the owner to web pushes, as a phone does. */
  subscribe(subscription: PushSubscriptionJson): Promise<Response> {
    return this.fetch('/api/push/subscriptions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(subscription),
    })
  }

  async cameras(): Promise<CameraNotice[]> {
    return (await this.json<{ cameras: CameraNotice[] }>('/api/cameras')).cameras
  }

  async events(): Promise<EventNotice[]> {
    return (await this.json<{ events: EventNotice[] }>('/api/events?limit=100')).events
  }

  async #signIn(): Promise<string> {
    const token = new URL((await this.signInLink()).replace('/#', '')).searchParams.get('token')
    const response = await fetch(`${this.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.url },
      body: JSON.stringify({ token }),
    })
    const cookie = response.headers.get('set-cookie')?.split(';')[0]
    if (!cookie) throw new Error(`signing in failed: ${response.status}`)
    return cookie
  }
}

/** The real agent with one camera, a process of its own, enrolled at a gateway. */
export class AgentHouse {
  readonly device: string
  readonly camera: string
  readonly #configPath: string
  readonly #atEnd: AtEnd
  readonly #env: Environment
  #child: Child | undefined
  #http = ''

  private constructor(device: string, configPath: string, atEnd: AtEnd, env: Environment) {
    this.device = device
    this.camera = toCameraId(device, 'door')
    this.#configPath = configPath
    this.#atEnd = atEnd
    this.#env = env
  }

  /**
   * @param camera the settings of its one camera, `door`, over what the tests want by default
   * @param broker given to enrolment in place of the gateway's own broker: `--broker-user` …
   */
  static async open(
    gateway: GatewayHouse,
    camera: Settings,
    atEnd: AtEnd,
    options: { device?: string; settings?: Settings; enrolFlags?: string[]; env?: Environment } = {},
  ): Promise<AgentHouse> {
    const device = options.device ?? 'porch'
    const directory = join(gateway.directory, device)
    await mkdir(directory)
    const configPath = join(directory, 'device.json')
    const config = {
      dataDir: directory,
      http: { port: 0 },
      cameras: [{ name: 'door', title: 'Front door', ...camera }],
      ...options.settings,
    }
    await writeFile(configPath, JSON.stringify(config))
    const house = new AgentHouse(device, configPath, atEnd, options.env ?? {})
    const key = (await house.cli('key')).split(/\s+/).at(-1)!
    await house.cli('enroll', await gateway.cli('enroll', device, '--key', key, ...(options.enrolFlags ?? [])))
    await house.start()
    return house
  }

  get process(): Child {
    if (this.#child === undefined) throw new Error('the agent is not running')
    return this.#child
  }

  async start(): Promise<void> {
    const args = ['run', '--ready-json', '--config', this.#configPath]
    this.#child = startNode(deviceMain, { args, env: { ...nodeEnvironment(), ...this.#env } }, this.#atEnd)
    const ready = await this.#child.json<{ http: string }>((line) => line.ready === true)
    this.#http = ready.http
  }

  async cli(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runToEnd(process.execPath, [
      deviceMain,
      ...args,
      '--config',
      this.#configPath,
    ])
    if (code !== 0) throw new Error(`device ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  /** Presses the button, by the local HTTP of the agent. @returns when, ms since the Unix epoch */
  async ring(): Promise<number> {
    const { dataDir } = JSON.parse(await readFile(this.#configPath, 'utf8')) as { dataDir: string }
    const token = (await readFile(localTokenFile(dataDir), 'utf8')).trim()
    const at = Date.now()
    const response = await fetch(`${this.#http}/ring`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
    if (!response.ok) throw new Error(`ring: ${response.status} ${await response.text()}`)
    return at
  }
}

/** Waits until the gateway says of a camera what `fits`. */
export function cameraThat(
  gateway: GatewayHouse,
  camera: string,
  fits: (notice: CameraNotice) => boolean,
): Promise<CameraNotice> {
  return until(`camera ${camera} as wanted`, async () =>
    (await gateway.cameras()).find((one) => one.id === camera && fits(one)),
  )
}

/** Waits until there is an event that `fits`. */
export function eventThat(gateway: GatewayHouse, fits: (event: EventNotice) => boolean): Promise<EventNotice> {
  return until('an event as wanted', async () => (await gateway.events()).find(fits))
}
