import { createHmac, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

// Written by itself, not with proto/net/stun.ts: what that reads and seals is held against this.

/** Binding with its class bits (RFC 8489 §5). */
const types = { request: 0x0001, indication: 0x0011, success: 0x0101 } as const
const magicCookie = 0x2112a442
/** RFC 8489 §18.3, RFC 8445 §16.1. */
const attributes = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlling: 0x802a,
} as const

export interface BindingOptions {
  kind?: keyof typeof types
  /** `receiver's ufrag:sender's ufrag` (RFC 8445 §7.2.2). */
  username?: string
  useCandidate?: boolean
  /** 8 bytes. */
  tieBreaker?: Buffer
  /** Password for MESSAGE-INTEGRITY; absent: the attribute is left out. */
  password?: string
  /** Twelve bytes; absent: random. */
  transaction?: Uint8Array
}

/** A Binding message as an attacker forges it: the controlling role, the highest tie-breaker and priority, FINGERPRINT right. */
export function binding(options: BindingOptions): Buffer {
  const { kind = 'request', username, useCandidate = false, tieBreaker = Buffer.alloc(8, 0xff), password } = options
  const parts = [header(kind, options.transaction ?? randomBytes(12))]
  if (username !== undefined) parts.push(attribute(attributes.username, Buffer.from(username)))
  parts.push(attribute(attributes.priority, Buffer.of(0x7f, 0xff, 0xff, 0xff)))
  parts.push(attribute(attributes.iceControlling, tieBreaker))
  if (useCandidate) parts.push(attribute(attributes.useCandidate, Buffer.alloc(0)))
  return sealed(parts, password)
}

/** The answer to a check: where it came from, over IPv4. */
export function bindingSuccess({
  transaction,
  mapped,
  password,
}: {
  transaction: Buffer
  mapped: { address: string; port: number }
  password: string
}): Buffer {
  const cookie = Buffer.alloc(4)
  cookie.writeUInt32BE(magicCookie)
  // RFC 8489 §14.2
  const value = Buffer.of(0, 1, mapped.port >> 8, mapped.port & 0xff, ...mapped.address.split('.').map(Number))
  for (const [index, byte] of [cookie[0]!, cookie[1]!, ...cookie].entries()) value[index + 2]! ^= byte
  return sealed([header('success', transaction), attribute(attributes.xorMappedAddress, value)], password)
}

function header(kind: keyof typeof types, transaction: Uint8Array): Buffer {
  const head = Buffer.alloc(20)
  head.writeUInt16BE(types[kind], 0)
  head.writeUInt32BE(magicCookie, 4)
  head.set(transaction, 8)
  return head
}

/** With MESSAGE-INTEGRITY where there is a password, and FINGERPRINT. */
function sealed(message: readonly Buffer[], password: string | undefined): Buffer {
  const parts = [...message]
  if (password !== undefined) {
    const hmac = createHmac('sha1', password).update(withLength(parts, 24)).digest() // RFC 8489 §14.5
    parts.push(attribute(attributes.messageIntegrity, hmac))
  }
  return withFingerprint(parts)
}

/** A Binding with USE-CANDIDATE put in behind its MESSAGE-INTEGRITY, which does not cover what follows (RFC 8489 §14.5). */
export function nominatedBehind(signed: Buffer): Buffer {
  // FINGERPRINT, eight bytes, is the last of them.
  return withFingerprint([signed.subarray(0, -8), attribute(attributes.useCandidate, Buffer.alloc(0))])
}

function withFingerprint(parts: readonly Buffer[]): Buffer {
  const check = Buffer.alloc(4)
  check.writeUInt32BE((crc32(withLength(parts, 8)) ^ 0x5354554e) >>> 0) // RFC 8489 §14.7
  return withLength([...parts, attribute(attributes.fingerprint, check)], 0)
}

/** RFC 8489 §14: values are padded to four bytes, the length does not count the padding. */
function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + ((value.length + 3) & ~3))
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(value.length, 2)
  value.copy(bytes, 4)
  return bytes
}

/** The message so far; its length field counts `more` bytes that are yet to come. */
function withLength(parts: readonly Buffer[], more: number): Buffer {
  const bytes = Buffer.concat(parts)
  bytes.writeUInt16BE(bytes.length - 20 + more, 2)
  return bytes
}
