import { mkdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { pino } from 'pino'
import { localTokenFile } from '../device/identity/local-token.ts'
import { type Lan, openLan } from '../gateway/lan/lan.ts'
import { choosePort } from './choose-port.ts'
import type { Options } from './options.ts'
import { type Console, Program } from './program.ts'
import { ask, type Environment, type ProgramName, run } from './run.ts'

const device = 'home'

export interface HouseOptions extends Options {
  console: Console
  /** Ends the opening. */
  signal: AbortSignal
  /** A program cannot be kept running. */
  givenUp(error: PorchlightError): void
  /** The local network gave this machine another address: open the house anew. */
  moved(): void
}

/** Everything that runs. */
export interface House {
  /** One-time link to sign in with. */
  link: string
  lan: Lan | undefined
  /** Presses the bell. @throws PorchlightError */
  ring(): Promise<void>
  close(): Promise<void>
}

interface Source {
  url: string
  sub?: string
  user?: string
  password?: string
}

/** Starts camera, gateway and agent, and makes the agent known to the gateway. @throws PorchlightError */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { data, cameras, ports, signal } = options
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const programs: Program[] = []
  let lan: Lan | undefined
  const close = async () => {
    for (const program of programs.splice(0).reverse()) await program.stop()
    await lan?.close()
  }
  const begin = (name: ProgramName, title: string, args: string[], env: Environment) => {
    const program = new Program(title, () => run(name, args, env), options.console, options.givenUp)
    programs.push(program)
    return program.start()
  }
  // What is starting ends, and with it the opening; what runs is closed by whoever has the house.
  const abort = () => {
    for (const program of programs) void program.stop()
  }
  signal.addEventListener('abort', abort)
  try {
    const http = await choosePort(ports.http, 4880)
    const media = await choosePort(ports.media, 4880, 'udp')
    const broker = await choosePort(ports.broker, 4883)
    if (options.lan) lan = await openToPhones(options, http)
    const gatewayEnv = gatewaySettings(join(data, 'gateway'), { http, media, broker }, lan)
    const simulated = cameras.length === 0
    const deviceDir = join(data, 'device')
    const [ready, sources, key] = await Promise.all([
      begin('gateway', 'gateway', ['run', '--ready-json'], gatewayEnv),
      simulated ? simulate(begin) : cameras,
      ask('device', ['key'], { PORCHLIGHT_DEVICE_DATA_DIR: deviceDir }),
    ])
    signal.throwIfAborted()
    const deviceEnv = deviceSettings(deviceDir, sources, simulated)
    // Done anew at every start: addresses and certificate may be others now; the key never is.
    const enrolment = await ask('gateway', ['enroll', device, '--key', key.split(/\s+/).at(-1) ?? ''], gatewayEnv)
    await ask('device', ['enroll', enrolment], deviceEnv)
    signal.throwIfAborted()
    const agent = await begin('device', 'device agent', ['run', '--ready-json'], deviceEnv)
    const link = typeof ready.signInLink === 'string' ? ready.signInLink : await ask('gateway', ['link'], gatewayEnv)
    return { link, lan, close, ring: () => ring(String(agent.http), deviceDir) }
  } catch (error) {
    await close()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

async function openToPhones(options: HouseOptions, httpsPort: number): Promise<Lan> {
  return openLan({
    directory: join(options.data, 'lan'),
    house: hostname(),
    httpsPort,
    trustPort: await choosePort(options.ports.trust, 4888),
    now: Date.now,
    log: pino({ name: 'lan', level: options.console.verbose ? 'info' : 'silent' }, pino.destination(2)),
    hostName: true,
    onChange: options.moved,
  })
}

type Begin = (name: ProgramName, title: string, args: string[], env: Environment) => Promise<Record<string, unknown>>

async function simulate(begin: Begin): Promise<Source[]> {
  // A port that stays, so that the agent finds the camera again when it was started again.
  const port = await choosePort(undefined, 8554)
  const { url, subUrl } = await begin('camera', 'simulated camera', ['--port', String(port), '--host', '127.0.0.1'], {})
  if (typeof url !== 'string') throw new PorchlightError('program_failed', 'simulated camera: no address')
  return [{ url, ...(typeof subUrl === 'string' ? { sub: subUrl } : {}) }]
}

/** The gateway's settings as its environment (gateway/config/schema.ts); without `lan` on loopback alone. */
function gatewaySettings(
  dataDir: string,
  ports: { http: number; media: number; broker: number },
  lan: Lan | undefined,
): Environment {
  const prefix = 'PORCHLIGHT_GATEWAY_'
  const settings = {
    DATA_DIR: dataDir,
    HTTP_PORT: String(ports.http),
    MEDIA_PORT: String(ports.media),
    BROKER_PORT: String(ports.broker),
    ...(lan && {
      HTTP_HOST: lan.address,
      HTTP_PUBLIC_URL: lan.url,
      HTTP_ORIGINS: JSON.stringify([`https://${lan.address}:${ports.http}`]),
      MEDIA_BIND_ADDRESS: lan.address,
      TLS: JSON.stringify({ cert: lan.cert, key: lan.key }),
    }),
  }
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [prefix + name, value]))
}

/** The agent's settings as its environment (device/config.ts): passwords of cameras are on no disk and in no `ps`. */
function deviceSettings(dataDir: string, sources: readonly Source[], simulated: boolean): Environment {
  const cameras = sources.map((source, index) => ({
    name: index === 0 ? 'door' : `camera-${index + 1}`,
    title: index === 0 ? 'Front door' : `Camera ${index + 1}`,
    kind: index === 0 ? 'doorbell' : 'camera',
    source: { ...source, ...(simulated ? { transport: 'tcp' } : {}) },
  }))
  return {
    PORCHLIGHT_DEVICE_DATA_DIR: dataDir,
    PORCHLIGHT_DEVICE_HTTP_PORT: '0',
    PORCHLIGHT_DEVICE_CAMERAS: JSON.stringify(cameras),
  }
}

async function ring(base: string, dataDir: string): Promise<void> {
  const token = readFileSync(localTokenFile(dataDir), 'utf8').trim()
  const response = await fetch(`${base}/ring`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  if (!response.ok) throw new PorchlightError('program_failed', `the bell: HTTP ${response.status}`)
}
