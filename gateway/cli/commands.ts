import { readFile } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { formatEnrolment } from '@porchlight/proto/identity/enrolment.ts'
import { toCameraId, whipDevice } from '@porchlight/proto/ids.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { Devices } from '../auth/devices.ts'
import { PublishTokens } from '../auth/publish-tokens.ts'
import { SignIn } from '../auth/sign-in.ts'
import { devicesBrokerUrl, ownAuthority, publicUrl, signInLink } from '../config/addresses.ts'
import { indexPath, signInLives } from '../config/derived.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { type GatewayIdentity, openIdentity } from '../identity/gateway-identity.ts'
import { openStore } from '../store/open-store.ts'
import type { Schema } from '../store/schema.ts'
import { parseDuration } from './duration.ts'
import type { Terminal } from './progress.ts'
import { recordings } from './recordings.ts'
import { mustBeCamera, one } from './words.ts'

export interface CommandInput {
  config: GatewayConfig
  /** Words after the command's name. */
  words: readonly string[]
  /** The command's own flags. */
  flags: ReadonlyMap<string, readonly string[]>
  /** Those of its switches that are on. */
  switches: ReadonlySet<string>
  /** Where long work shows how far it is. */
  terminal: Terminal
  /** Where bytes go that are asked for there. */
  stdout: Writable
  /** Writes one line to the console. */
  out: (line: string) => void
  log: Logger
  /** ms since the Unix epoch */
  now: () => number
}

export interface Tools extends CommandInput {
  /** The index. */
  db: Kysely<Schema>
  identity: GatewayIdentity
  devices: Devices
  publishTokens: PublishTokens
  signIn: SignIn
}

export interface Command {
  usage: string
  summary: string
  /** @throws PorchlightError */
  run(tools: Tools): Promise<void>
}

/** What can be done beside a running gateway: all of it writes the index, where the gateway looks each time. */
export const commands: Readonly<Record<string, Command>> = {
  enroll: {
    usage: 'enroll <device> --key <public key> [--broker-user <name> --broker-password <password>]',
    summary: 'takes a device in and prints the line for `device enroll`',
    async run({ words, flags, devices, identity, config, out }) {
      const device = one(words, 'the name of the device')
      await devices.enrol(device, one(flags.get('key') ?? [], '--key'))
      const user = flags.get('broker-user')?.[0]
      const password = flags.get('broker-password')?.[0]
      const ca = config.tls && ownAuthority(await readFile(config.tls.cert, 'utf8'))
      const enrolment = {
        device,
        gatewayKey: identity.publicKey,
        api: publicUrl(config),
        broker: devicesBrokerUrl(config),
        ...(ca !== undefined && { ca }),
        ...(user !== undefined && { brokerUser: user }),
        ...(password !== undefined && { brokerPassword: password }),
      }
      out(formatEnrolment(enrolment))
    },
  },
  devices: {
    usage: 'devices',
    summary: 'lists the devices',
    async run({ devices, out }) {
      for (const device of await devices.list()) {
        const state = device.revoked_at === null ? 'enrolled' : 'revoked'
        const at = new Date(device.revoked_at ?? device.enrolled_at).toISOString()
        out(`${device.name.padEnd(32)} ${state} ${at} ${device.public_key}`)
      }
    },
  },
  revoke: {
    usage: 'revoke <device>',
    summary: 'shuts a device out',
    async run({ words, devices, out }) {
      const device = one(words, 'the name of the device')
      await devices.revoke(device)
      out(`${device} is revoked.`)
    },
  },
  link: {
    usage: 'link',
    summary: 'prints a new one-time sign-in link',
    async run({ signIn, config, out }) {
      const { userId } = await signIn.ensureOwner()
      const { token, expiresAt } = await signIn.makeLink(userId)
      out(signInLink(publicUrl(config), token))
      out(`It works once, until ${new Date(expiresAt).toISOString()}.`)
    },
  },
  token: {
    usage:
      'token --camera <device.camera> [--camera …] [--ttl 1h] [--name <text>] | --publish <camera> [--name <text>] | --revoke <camera>',
    summary:
      'prints an access token for scripts; or the token of a camera that publishes by WHIP, in place of the one it had; or takes such a camera away',
    async run({ config, flags, signIn, publishTokens, out }) {
      const kinds = ['camera', 'publish', 'revoke'].filter((flag) => flags.has(flag))
      if (kinds.length > 1) throw new PorchlightError('request_invalid', `--${kinds.join(' or --')}, not both`)
      if (flags.has('revoke')) {
        const name = one(flags.get('revoke')!, '--revoke')
        await publishTokens.revoke(name)
        out(`${toCameraId(whipDevice, name)} is revoked.`)
        return
      }
      if (flags.has('publish')) {
        if (flags.has('ttl')) throw new PorchlightError('request_invalid', '--ttl: it lasts until it is taken back')
        const { camera, token } = await publishTokens.make(
          one(flags.get('publish')!, '--publish'),
          flags.get('name')?.[0],
        )
        // At once, for scripts that take the first line and go.
        out(`${token}\nWHIP: ${publicUrl(config)}/api/cameras/${camera}/whip`)
        return
      }
      const cameras = flags.get('camera') ?? []
      if (cameras.length === 0) throw new PorchlightError('request_invalid', '--camera is missing')
      cameras.forEach(mustBeCamera)
      const ttl = parseDuration(flags.get('ttl')?.[0] ?? '1h')
      const { token } = await signIn.makeToken(flags.get('name')?.[0] ?? 'script', cameras, ttl)
      out(token)
    },
  },
  recordings,
}

/** Flags of all commands; everything else on the command line is configuration. */
export const commandFlags = [
  'key',
  'broker-user',
  'broker-password',
  'camera',
  'ttl',
  'name',
  'publish',
  'revoke',
  'event',
  'from',
  'to',
] as const

/** Switches of all commands. */
export const commandSwitches = ['rebuild', 'dry-run'] as const

/** Runs a command beside the gateway, or where there is none running. @throws PorchlightError */
export async function runCommand(command: Command, input: CommandInput): Promise<void> {
  const { config, log, now } = input
  const identity = await openIdentity(config.dataDir)
  await using store = await openStore(indexPath(config), log)
  const devices = new Devices({ db: store.db, gatewayKey: identity.publicKey, now })
  const signIn = new SignIn({ db: store.db, now, ...signInLives(config) })
  const publishTokens = new PublishTokens({ db: store.db, now })
  await command.run({ ...input, db: store.db, identity, devices, publishTokens, signIn })
}
