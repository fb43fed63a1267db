import { type KeyObject, sign, verify } from 'node:crypto'

/**
 * What device and gateway sign with their Ed25519 keys, so that a broker in between can neither give nor take media.
 * Lines joined by LF; every field comes from a fixed place, none may hold an LF.
 */
export interface SessionFacts {
  session: string
  /** Camera id `{device}.{camera}`. */
  camera: string
  /** base64url, made by the device for this session. */
  nonce: string
  /** `a=fingerprint` value of each side, e.g. `sha-256 AB:CD:…`. */
  deviceFingerprint: string
  gatewayFingerprint: string
  deviceUfrag: string
  gatewayUfrag: string
}

function statement(kind: string, fields: readonly string[]): Uint8Array {
  if (fields.some((field) => field.includes('\n'))) throw new TypeError('a signed field holds a line feed')
  return new TextEncoder().encode([`porchlight ${kind} v1`, ...fields].join('\n'))
}

/** Signed by the device in an offer, before it knows the gateway's half. */
export function offerStatement(facts: Omit<SessionFacts, 'gatewayFingerprint' | 'gatewayUfrag'>): Uint8Array {
  return statement('offer', [
    facts.session,
    facts.camera,
    facts.nonce,
    facts.deviceFingerprint.toLowerCase(),
    facts.deviceUfrag,
  ])
}

/** Signed by the gateway in its answer and by the device in its confirmation (`role` keeps the two apart). */
export function sessionStatement(role: 'gateway' | 'device', facts: SessionFacts): Uint8Array {
  return statement(`session ${role}`, [
    facts.session,
    facts.camera,
    facts.nonce,
    facts.deviceFingerprint.toLowerCase(),
    facts.gatewayFingerprint.toLowerCase(),
    facts.deviceUfrag,
    facts.gatewayUfrag,
  ])
}

/** Ed25519 signature as base64url. */
export function signStatement(bytes: Uint8Array, privateKey: KeyObject): string {
  return sign(null, bytes, privateKey).toString('base64url')
}

export function verifyStatement(bytes: Uint8Array, signature: string, publicKey: KeyObject): boolean {
  return verify(null, bytes, publicKey, Buffer.from(signature, 'base64url'))
}
