import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { nodeEnvironment } from '../device/node-environment.ts'

const root = dirname(import.meta.dirname)
const files = { gateway: 'gateway/main.ts', device: 'device/main.ts', camera: 'test/sim/camera.ts' }
export type ProgramName = keyof typeof files
export type Environment = Readonly<Record<string, string>>

/** A command of a program may take so long, ms. */
const askMs = 60_000

/** Starts a program of ours, in a group of its own: Ctrl-C comes to `npm start` alone, which ends them in order. */
export function run(name: ProgramName, args: readonly string[], env: Environment): ChildProcess {
  return spawn(process.execPath, [join(root, files[name]), ...args], {
    cwd: root,
    env: { ...(name === 'device' ? nodeEnvironment() : {}), ...process.env, ...env },
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/**
 * Runs a command of a program to its end.
 * @returns the first line of its answer
 * @throws PorchlightError `program_failed` with what it said
 */
export async function ask(name: ProgramName, args: readonly string[], env: Environment): Promise<string> {
  const child = run(name, args, env)
  const timer = setTimeout(() => child.kill('SIGKILL'), askMs)
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout!),
    textOf(child.stderr!),
    once(child, 'close') as Promise<[number | null]>,
  ])
  clearTimeout(timer)
  if (code !== 0) throw new PorchlightError('program_failed', `${name} ${args[0]}: ${stderr.trim()}`)
  return stdout.trim().split('\n')[0] ?? ''
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
