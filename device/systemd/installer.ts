import { execFile } from 'node:child_process'
import { chmod, chown, copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { unitText } from './unit.ts'

export const serviceName = 'porchlight-device'
const unitFile = `/etc/systemd/system/${serviceName}.service`
const stateDir = `/var/lib/${serviceName}`
/** Own devices that the agent uses; only those of this machine are named in the unit. */
const wantedGroups = ['audio', 'gpio', 'video']
/** What a trial run has made in its data directory and the service goes on with. */
const keptFiles = ['device.key', 'enrolment', 'authority.pem', 'epoch', 'ring-token']

const execute = promisify(execFile)

/** Everything the installer does to the machine. */
export interface Machine {
  isRoot: boolean
  /** Standard output. @throws where the command fails */
  run(command: string, args: readonly string[]): Promise<string>
  write(path: string, text: string): Promise<void>
  remove(path: string): Promise<void>
  exists(path: string): Promise<boolean>
  /** Copies a file for `user` alone (0600). */
  copy(from: string, to: string, user: { uid: number; gid: number }): Promise<void>
  makeDir(path: string, user: { uid: number; gid: number }): Promise<void>
}

export function thisMachine(): Machine {
  return {
    isRoot: process.getuid?.() === 0,
    run: async (command, args) => (await execute(command, [...args], { timeout: 60_000 })).stdout,
    write: (path, text) => writeFile(path, text, { mode: 0o644 }),
    remove: (path) => rm(path, { force: true }),
    exists: (path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    copy: async (from, to, { uid, gid }) => {
      await copyFile(from, to)
      await chmod(to, 0o600)
      await chown(to, uid, gid)
    },
    makeDir: async (path, { uid, gid }) => {
      await mkdir(path, { recursive: true, mode: 0o700 })
      await chown(path, uid, gid)
    },
  }
}

export interface InstallFacts {
  node: string
  main: string
  config: string
  /** Where a trial run has kept key and enrolment; taken over where the service has none yet. */
  dataDir: string
}

async function groupsOf(machine: Machine): Promise<string[]> {
  const groups: string[] = []
  for (const group of wantedGroups) {
    // getent ends with 2 where there is no such group.
    if (await succeeds(machine.run('getent', ['group', group]))) groups.push(group)
  }
  return groups
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  )

/** The unit as it would be written on this machine. */
export async function planUnit(machine: Machine, facts: InstallFacts): Promise<string> {
  const { node, main, config } = facts
  return unitText({ node, main, config, user: serviceName, state: serviceName, groups: await groupsOf(machine) })
}

/**
 * Makes the agent a service: a user of its own, the unit, started now and at each boot. Running it again brings it up to date.
 * @throws PorchlightError `forbidden` without root, `internal` where a step fails (it names the step)
 */
export async function install(machine: Machine, facts: InstallFacts, say: (line: string) => void): Promise<void> {
  mustBeRoot(machine)
  const unit = await planUnit(machine, facts)
  await step('useradd', async () => {
    if (await succeeds(machine.run('id', ['-u', serviceName]))) return
    await machine.run('useradd', ['--system', '--home-dir', stateDir, '--shell', '/usr/sbin/nologin', serviceName])
    say(`user ${serviceName} made`)
  })
  await step(stateDir, async () => {
    const uid = Number(await machine.run('id', ['-u', serviceName]))
    const gid = Number(await machine.run('id', ['-g', serviceName]))
    await machine.makeDir(stateDir, { uid, gid })
    for (const file of keptFiles) {
      const from = join(facts.dataDir, file)
      const to = join(stateDir, file)
      if ((await machine.exists(from)) && !(await machine.exists(to))) await machine.copy(from, to, { uid, gid })
    }
  })
  await step(unitFile, () => machine.write(unitFile, unit))
  say(`${unitFile} written`)
  await step('systemctl', async () => {
    await machine.run('systemctl', ['daemon-reload'])
    await machine.run('systemctl', ['enable', serviceName])
    await machine.run('systemctl', ['restart', serviceName])
  })
  say(`started; see: journalctl -u ${serviceName} -f`)
}

/** Stops the service and takes the unit away; key, enrolment and user stay. @throws as `install` */
export async function uninstall(machine: Machine, say: (line: string) => void): Promise<void> {
  mustBeRoot(machine)
  if (!(await machine.exists(unitFile))) {
    say('not installed')
    return
  }
  await step('systemctl', () => machine.run('systemctl', ['disable', '--now', serviceName]))
  await step(unitFile, () => machine.remove(unitFile))
  await step('systemctl', () => machine.run('systemctl', ['daemon-reload']))
  say(`stopped and removed; key and enrolment are still in ${stateDir}`)
}

function mustBeRoot(machine: Machine): void {
  if (!machine.isRoot) throw new PorchlightError('forbidden', 'run it with sudo, or look at it with --print')
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new PorchlightError('internal', `${name}: ${asPorchlightError(cause).detail ?? 'failed'}`, { cause })
  }
}
