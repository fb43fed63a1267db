/** `npm start`: gateway, agent and a simulated doorbell as three programs, ready to be looked at. `npm start -- --help` */
import { createInterface } from 'node:readline'
import { asPorchlightError } from '@porchlight/proto/errors.ts'
import { renderUnicodeCompact } from 'uqr'
import { findFfmpeg } from './device/ffmpeg/find-ffmpeg.ts'
import { type House, openHouse } from './start/house.ts'
import { help, readOptions } from './start/options.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)
const bold = (text: string) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[22m` : text)
const amber = (text: string) => (process.stdout.isTTY ? `\x1b[38;5;215m${text}\x1b[39m` : text)

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    say(help)
    return
  }
  let house: House | undefined
  let opening: Promise<void> | undefined
  const ending = new AbortController()
  const end = async (code: number) => {
    if (ending.signal.aborted) return
    say('Ending …')
    ending.abort()
    await opening
    await house?.close()
    process.exit(code)
  }
  const fail = (thrown: unknown) => {
    if (ending.signal.aborted) return
    const error = asPorchlightError(thrown)
    process.stderr.write(`${error.code}: ${error.message}\n`)
    void end(1)
  }
  const open = async () => {
    await house?.close()
    house = undefined
    const moved = () => {
      if (ending.signal.aborted) return
      say('This machine has another address now: starting anew.')
      opening = open().catch(fail)
    }
    const console = { verbose: options.verbose, say }
    house = await openHouse({ ...options, console, signal: ending.signal, givenUp: fail, moved })
    const limit = await limits()
    if (!ending.signal.aborted) welcome(house, options.cameras.length === 0, limit)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0))
  say('Starting Porchlight …')
  opening = open().catch(fail)
  await opening
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line.trim() !== 'r' || !house) return
    house.ring().then(
      () => say('Ding dong.'),
      (thrown: unknown) => say(asPorchlightError(thrown).message),
    )
  })
}

function welcome({ link, lan }: House, simulated: boolean, limit: string | undefined): void {
  say('')
  say(amber(bold('  Porchlight is on.')))
  say('')
  if (lan) {
    say(`  1. Let the phone trust this house: scan this, or open ${bold(lan.trustUrl)}`)
    say('')
    say(renderUnicodeCompact(lan.trustUrl).replace(/^/gm, '     '))
    say('')
    say(`     Fingerprint of its certificate (SHA-256): ${lan.fingerprint}`)
    say('')
    say('  2. Sign in with this link (once):')
  } else say('  Open this link to sign in (it works once; `gateway link` prints another):')
  say('')
  say(`     ${bold(link)}`)
  say('')
  say(simulated ? '  The camera is a simulated doorbell.' : '  The camera is yours.')
  if (limit !== undefined) say(`  ${limit}`)
  say('  r + Enter rings the bell, Ctrl-C ends everything.')
  say('')
}

/** What is off without ffmpeg, if it is missing. */
async function limits(): Promise<string | undefined> {
  try {
    await findFfmpeg(process.env)
    return undefined
  } catch (thrown) {
    return asPorchlightError(thrown).message
  }
}

main().catch((thrown: unknown) => {
  const error = asPorchlightError(thrown)
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exitCode = 1
})
