import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Relay } from '@porchlight/proto/messages/relay.ts'
import type { GatewayConfig } from '../config/schema.ts'

/** Makes TURN credentials for somebody: a device, a user. */
export type RelayFor = (name: string) => Relay

/**
 * Time-limited credentials as coturn's `use-auth-secret` checks them (draft-uberti-behave-turn-rest-00 §2.2): the user name
 * says until when, the password is its HMAC.
 * @param now ms since the Unix epoch
 * @returns undefined where no TURN server is configured
 * @throws PorchlightError `config_invalid` where the secret's file cannot be read or is empty
 */
export async function openTurn(config: GatewayConfig['turn'], now: () => number): Promise<RelayFor | undefined> {
  const { urls, ttlSeconds: seconds } = config
  if (urls.length === 0) return undefined
  const secret = config.secret ?? (await readSecret(config.secretFile!))
  return (name) => {
    const username = `${Math.floor(now() / 1000) + seconds}:${name.replaceAll(/[^\w.-]/g, '_').slice(0, 64)}`
    const credential = createHmac('sha1', secret).update(username).digest('base64')
    return { urls: [...urls], username, credential, seconds }
  }
}

async function readSecret(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PorchlightError('config_invalid', `turn.secretFile: ${path} cannot be read`, { cause })
  })
  const secret = text.trim()
  if (secret === '') throw new PorchlightError('config_invalid', `turn.secretFile: ${path} is empty`)
  return secret
}
