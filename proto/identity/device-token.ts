import type { KeyObject } from 'node:crypto'
import { PorchlightError } from '../errors.ts'
import { signStatement, verifyStatement } from './statement.ts'

/**
 * The device credential on the wire: `{device}.{expiry}.{signature}`, made by the device with its Ed25519 key.
 * It is the MQTT password (embedded broker) and the bearer token of footage uploads.
 */
export const deviceTokenLifeMs = 10 * 60_000

function tokenStatement(device: string, gateway: string, expiry: number): Uint8Array {
  return new TextEncoder().encode(`porchlight device-token v1\n${device}\n${gateway}\n${expiry}`)
}

/**
 * @param gateway the gateway's public key (base64url of the raw 32 bytes): binds the token to this gateway
 * @param now ms since the Unix epoch
 */
export function makeDeviceToken(device: string, gateway: string, privateKey: KeyObject, now: number): string {
  const expiry = Math.floor(now + deviceTokenLifeMs)
  return `${device}.${expiry}.${signStatement(tokenStatement(device, gateway, expiry), privateKey)}`
}

/** The device name a token claims, unverified; undefined where it is no token. */
export function claimedDevice(token: string): string | undefined {
  return /^([a-z0-9-]{1,32})\.\d{1,15}\.[A-Za-z0-9_-]{86}$/.exec(token)?.[1]
}

/**
 * Checks a token against the device's enrolled key.
 * @throws PorchlightError `signature_invalid` (forged) or `message_expired`; a day of clock difference ahead is allowed,
 *   because a device without a clock battery may boot with a wrong date.
 */
export function checkDeviceToken(token: string, gateway: string, publicKey: KeyObject, now: number): string {
  const [device, expiryText, signature] = token.split('.')
  const expiry = Number(expiryText)
  if (device === undefined || signature === undefined || !Number.isSafeInteger(expiry)) {
    throw new PorchlightError('signature_invalid')
  }
  if (!verifyStatement(tokenStatement(device, gateway, expiry), signature, publicKey)) {
    throw new PorchlightError('signature_invalid')
  }
  if (now > expiry + 60_000 || expiry > now + 86_400_000) throw new PorchlightError('message_expired')
  return device
}
