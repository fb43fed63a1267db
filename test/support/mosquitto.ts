import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type AtEnd, startChild } from './child.ts'
import { findProgram } from './find-program.ts'
import { freePort } from './ports.ts'

export interface MosquittoOptions {
  /** Where its files lie; see `tempDir`. */
  folder: string
  /** Name → password. Without users anybody may connect. */
  users?: Readonly<Record<string, string>>
  /** Lines of its ACL file (`user …`, `topic readwrite …`, `pattern …`). */
  acl?: readonly string[]
  /** More lines of mosquitto.conf. */
  config?: readonly string[]
  /** A fixed port, to start it again where it was. */
  port?: number
}

export interface Mosquitto extends AsyncDisposable {
  url: string
  port: number
  /** What it logged. */
  lines: readonly string[]
  stop(): Promise<void>
  kill(): Promise<void>
}

/** Starts a real Mosquitto on 127.0.0.1 and waits until it listens. */
export async function startMosquitto(options: MosquittoOptions, atEnd?: AtEnd): Promise<Mosquitto> {
  const { folder, users, acl, config = [] } = options
  const port = options.port ?? (await freePort())
  const lines = [`listener ${port} 127.0.0.1`, 'persistence false', 'log_type all', ...config]
  if (users === undefined) lines.push('allow_anonymous true')
  else {
    const passwords = join(folder, 'mosquitto.passwords')
    await writeFile(
      passwords,
      Object.entries(users)
        .map(([name, word]) => `${name}:${word}\n`)
        .join(''),
      { mode: 0o600 },
    )
    await promisify(execFile)(findProgram('MOSQUITTO_PASSWD_PATH', 'mosquitto_passwd'), ['-U', passwords])
    await chmod(passwords, 0o644) // started by root it reads as another user
    lines.push('allow_anonymous false', `password_file ${passwords}`)
  }
  if (acl !== undefined) {
    const file = join(folder, 'mosquitto.acl')
    await writeFile(file, `${acl.join('\n')}\n`)
    lines.push(`acl_file ${file}`)
  }
  await chmod(folder, 0o755)
  const file = join(folder, 'mosquitto.conf')
  await writeFile(file, `${lines.join('\n')}\n`)
  const child = startChild(findProgram('MOSQUITTO_PATH', 'mosquitto'), { args: ['-c', file] }, atEnd)
  await child.line(/mosquitto version .* running/)
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    lines: child.lines,
    stop: async () => void (await child.stop()),
    kill: () => child.kill(),
    [Symbol.asyncDispose]: async () => void (await child.stop()),
  }
}
