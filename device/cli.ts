import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configFile, loadConfig } from '@porchlight/proto/config.ts'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { type Logger, pino } from 'pino'
import { type DeviceConfig, deviceConfigSchema, envPrefix } from './config.ts'
import { findFfmpeg } from './ffmpeg/find-ffmpeg.ts'
import { openIdentity, readEnrolment, storeEnrolment } from './identity/device-identity.ts'
import { openLocalToken } from './identity/local-token.ts'
import { PinnedAuthority } from './link/pinned-authority.ts'
import { agentVersion } from './version.ts'

const help = `Porchlight device agent ${agentVersion}

  device [run]            run the agent (--ready-json: print a line of JSON when it runs)
  device key              make the key of this device (once) and print its public half
  device enroll <line>    take the line that \`gateway enroll\` has printed ("-": from standard input)
  device doctor           examine cameras, clock, broker, gateway, media path, speaker; exit code 1 if something is wrong
  device install          make the agent a systemd service (--print: only show the unit)
  device uninstall        take the service away again

Configuration: --config <file.json>, environment ${envPrefix}…, flags such as --http.port 4881.
`

const say = (line: string) => void process.stdout.write(`${line}\n`)

/** Standard output belongs to answers and the ready line. */
async function makeLog(config: DeviceConfig): Promise<Logger> {
  const { level, pretty } = config.log
  // Nothing of ours logs a secret; this is the second fence.
  const options = { level, base: { program: 'device' }, redact: ['password', 'token', '*.password', '*.token'] }
  if (!pretty) return pino(options, pino.destination(2))
  const { default: prettyStream } = await import('pino-pretty')
  return pino(options, prettyStream({ sync: true, ignore: 'pid,hostname,program', destination: 2 }))
}

async function run(config: DeviceConfig, readyJson: boolean): Promise<number> {
  const log = await makeLog(config)
  const { Agent } = await import('./agent.ts')
  const stopped = Promise.withResolvers<string>()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopped.resolve(name))
  await using agent = await Agent.start({ config, env: process.env, log })
  if (readyJson) say(JSON.stringify({ ready: true, device: agent.health.device, http: agent.httpUrl }))
  flushCompileCache() // an agent ends by loss of power more often than by a signal
  log.info({ signal: await stopped.promise }, 'agent ends')
  return 0
}

async function enroll(config: DeviceConfig, word: string | undefined): Promise<number> {
  if (word === undefined) throw new PorchlightError('enrolment_invalid', 'device enroll <line>')
  const line = word === '-' ? readFileSync(0, 'utf8') : word
  const { device, api } = await storeEnrolment(config.dataDir, line)
  say(`enrolled as ${device} at ${api}`)
  return 0
}

async function doctor(config: DeviceConfig): Promise<number> {
  const { examine } = await import('./doctor/doctor.ts')
  const { runningAgent } = await import('./doctor/patient.ts')
  const log = pino({ level: 'silent' })
  const enrolment = readEnrolment(config.dataDir)
  const authority = new PinnedAuthority(config.dataDir, enrolment.ca)
  const well = await examine({
    config,
    enrolment,
    authority: (url, signal) => authority.for(url, signal),
    ffmpeg: async () => (await findFfmpeg(process.env)).version,
    now: Date.now,
    say,
    patient: async () => {
      const token = await openLocalToken(config.dataDir)
      const running = await runningAgent(config, enrolment.device, token, log)
      if (running !== undefined) return running
      const { Agent } = await import('./agent.ts')
      const ownPort = { ...config, http: { host: '127.0.0.1', port: 0 } }
      const agent = await Agent.start({ config: ownPort, env: process.env, log })
      return {
        running: false,
        view: async () => agent.health,
        stream: (camera) => agent.stream(camera),
        [Symbol.asyncDispose]: () => agent.close(),
      }
    },
  })
  return well ? 0 : 1
}

async function installService(config: DeviceConfig, path: string | undefined, print: boolean): Promise<number> {
  const facts = {
    node: process.execPath,
    main: fileURLToPath(new URL('main.ts', import.meta.url)),
    config: resolve(path ?? '/etc/porchlight/device.json'),
    dataDir: resolve(config.dataDir),
  }
  const { install, planUnit, thisMachine } = await import('./systemd/installer.ts')
  if (print) process.stdout.write(await planUnit(thisMachine(), facts))
  else await install(thisMachine(), facts, say)
  return 0
}

async function uninstallService(): Promise<number> {
  const { thisMachine, uninstall } = await import('./systemd/installer.ts')
  await uninstall(thisMachine(), say)
  return 0
}

/** @returns the exit code: 0 well, 1 failed, 2 wrong configuration, flag or command */
async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv[0] === 'help') {
    process.stdout.write(help)
    return 0
  }
  // The only flags that are no settings.
  const print = argv.includes('--print')
  const readyJson = argv.includes('--ready-json')
  const settings = argv.filter((word) => word !== '--print' && word !== '--ready-json')
  const sources = { env: process.env, envPrefix, argv: settings }
  const file = configFile(sources, (path) => readFileSync(path, 'utf8'))
  const { config, rest } = loadConfig(deviceConfigSchema, { ...sources, file })
  const [command = 'run', ...words] = rest
  const surplus = command === 'enroll' ? words.slice(1) : words
  if (surplus.length > 0) throw new PorchlightError('config_invalid', `${surplus.join(' ')}: one word too many`)
  if (print && command !== 'install') throw new PorchlightError('config_invalid', '--print: unknown flag')
  if (readyJson && command !== 'run') throw new PorchlightError('config_invalid', '--ready-json: unknown flag')
  switch (command) {
    case 'run':
      return run(config, readyJson)
    case 'key':
      say((await openIdentity(config.dataDir)).publicKey)
      return 0
    case 'enroll':
      return enroll(config, words[0])
    case 'doctor':
      return doctor(config)
    case 'install':
      return installService(config, file?.path, print)
    case 'uninstall':
      return uninstallService()
    default:
      throw new PorchlightError('config_invalid', `${command}: unknown command; see --help`)
  }
}

/** Runs one command line and tells a failure on standard error. @returns the exit code */
export async function runCli(argv: readonly string[]): Promise<number> {
  try {
    return await main(argv)
  } catch (thrown) {
    const error = asPorchlightError(thrown)
    process.stderr.write(`device: ${error.message} [${error.code}]\n`)
    return error.code === 'config_invalid' || error.code === 'config_unreadable' ? 2 : 1
  }
}
