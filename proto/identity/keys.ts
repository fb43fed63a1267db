import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { PorchlightError } from '../errors.ts'

/** An Ed25519 key of a device or of the gateway. */
export interface Identity {
  privateKey: KeyObject
  /** base64url of the raw 32 bytes: how keys are written in credentials and on consoles. */
  publicKey: string
}

export function generateIdentity(): Identity {
  return toIdentity(generateKeyPairSync('ed25519').privateKey)
}

/** @throws PorchlightError `identity_unreadable` */
export function identityFromPem(pem: string): Identity {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw new PorchlightError('identity_unreadable', undefined, { cause })
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new PorchlightError('identity_unreadable', 'not an Ed25519 key')
  return toIdentity(key)
}

/** PKCS#8 PEM, to be written with mode 0600. */
export function identityToPem(identity: Identity): string {
  return identity.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** @throws PorchlightError `enrolment_invalid` where it is not 32 bytes of base64url */
export function parsePublicKey(text: string): KeyObject {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) throw new PorchlightError('enrolment_invalid', 'not an Ed25519 public key')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' })
}

function toIdentity(privateKey: KeyObject): Identity {
  const publicKey = createPublicKey(privateKey).export({ format: 'jwk' }).x
  if (publicKey === undefined) throw new PorchlightError('identity_unreadable', 'no public half')
  return { privateKey, publicKey }
}
