import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { configFile, loadConfig } from '@porchlight/proto/config.ts'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { pino } from 'pino'
import { commandFlags, commandSwitches, commands, runCommand } from './cli/commands.ts'
import { takeFlags } from './cli/flags.ts'
import { gatewayConfigSchema } from './config/schema.ts'

const envPrefix = 'PORCHLIGHT_GATEWAY_'

const help = `gateway [run] [--ready-json]   runs the gateway
${Object.values(commands)
  .map(({ usage, summary }) => `gateway ${usage}\n    ${summary}`)
  .join('\n')}
Settings: --config <file>, --<setting> <value> or ${envPrefix}<SETTING>; see gateway/config/schema.ts.
`

/** Runs the command line to its end; `run` goes on until SIGTERM. An error ends the process with code 1. */
export async function runCli(argv: readonly string[]): Promise<void> {
  try {
    await main(argv)
  } catch (error) {
    fail(error)
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const { values, on, rest } = takeFlags(argv, commandFlags, ['ready-json', 'help', ...commandSwitches])
  if (on.has('help')) {
    process.stdout.write(help)
    return
  }
  const sources = { env: process.env, envPrefix, argv: rest }
  const file = configFile(sources, (path) => readFileSync(path, 'utf8'))
  const { config, rest: words } = loadConfig(gatewayConfigSchema, { ...sources, file })
  const [name = 'run', ...more] = words
  // Standard output belongs to answers and the ready line.
  const log = pino(
    { name: 'gateway', level: config.logLevel, redact: ['*.password', '*.token', '*.cookie'] },
    pino.destination(2),
  )
  const out = (line: string) => process.stdout.write(`${line}\n`)
  const command = commands[name]
  if (command) {
    await runCommand(command, {
      config,
      words: more,
      flags: values,
      switches: on,
      terminal: process.stderr,
      stdout: process.stdout,
      out,
      log,
      now: Date.now,
    })
  } else if (name === 'run' && more.length === 0) {
    // Commands need little of the gateway: they start faster without it.
    const { startGateway } = await import('./gateway.ts')
    const gateway = await startGateway(config, log)
    const stop = (signal: NodeJS.Signals) => {
      log.info({ signal }, 'closing')
      gateway.close().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      )
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
    flushCompileCache() // for the start after one that is killed
    if (on.has('ready-json')) out(JSON.stringify({ ready: true, ...gateway.addresses, signInLink: gateway.signInLink }))
    else {
      out(`Porchlight is at ${gateway.addresses.url}`)
      if (gateway.signInLink !== undefined) out(`Sign in, once, with ${gateway.signInLink}`)
    }
  } else {
    throw new PorchlightError('request_invalid', `${words.join(' ')}: no such command (see --help)`)
  }
}

function fail(thrown: unknown): void {
  const error = asPorchlightError(thrown)
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exit(1)
}
