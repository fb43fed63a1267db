import { createHmac, timingSafeEqual } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { crc32 } from 'node:zlib'

/** Types of Binding messages (RFC 8489 §5). */
const kinds = { request: 0x0001, success: 0x0101 } as const
/** RFC 8489 §18.3, RFC 8445 §16.1. */
const attributes = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  xorMappedAddress: 0x0020,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const
const magicCookie = 0x2112a442
const headerBytes = 20
const zero = Buffer.alloc(8)

/** A Binding request or success, and where in its bytes the values stand. */
export interface StunBinding {
  kind: keyof typeof kinds
  bytes: Buffer
  /** `receiver's ufrag:sender's ufrag`, of a request. */
  username: string | undefined
  /** Of ICE-CONTROLLING or ICE-CONTROLLED. */
  tieBreakerAt: number | undefined
  mappedAddressAt: number | undefined
  integrityAt: number
  fingerprintAt: number | undefined
}

/** Reads a Binding request or success that carries MESSAGE-INTEGRITY; undefined for all else. */
export function readBinding(bytes: Buffer): StunBinding | undefined {
  if (bytes.length < headerBytes || bytes.readUInt32BE(4) !== magicCookie) return undefined
  const type = bytes.readUInt16BE(0)
  const kind = type === kinds.request ? 'request' : type === kinds.success ? 'success' : undefined
  if (kind === undefined || bytes.readUInt16BE(2) !== bytes.length - headerBytes) return undefined
  const found = new Map<number, { at: number; length: number }>()
  for (let at = headerBytes; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined
    const length = bytes.readUInt16BE(at + 2)
    const next = at + 4 + ((length + 3) & ~3)
    if (next > bytes.length) return undefined
    const name = bytes.readUInt16BE(at)
    // RFC 8489 §14.5: after the integrity nothing but the fingerprint counts.
    if (!found.has(attributes.messageIntegrity) || name === attributes.fingerprint)
      found.set(name, { at: at + 4, length })
    at = next
  }
  const valueAt = (name: number, length: number) => {
    const value = found.get(name)
    return value?.length === length ? value.at : undefined
  }
  const integrityAt = valueAt(attributes.messageIntegrity, 20)
  if (integrityAt === undefined) return undefined
  const username = found.get(attributes.username)
  const mapped = found.get(attributes.xorMappedAddress)
  return {
    kind,
    bytes,
    username: username && bytes.toString('latin1', username.at, username.at + username.length),
    tieBreakerAt: valueAt(attributes.iceControlling, 8) ?? valueAt(attributes.iceControlled, 8),
    mappedAddressAt: mapped?.length === 8 && bytes[mapped.at + 1] === 0x01 ? mapped.at : undefined,
    integrityAt,
    fingerprintAt: valueAt(attributes.fingerprint, 4),
  }
}

/** Whether a message was made by somebody who knows the password (RFC 8489 §14.5). */
export function isAuthentic({ bytes, integrityAt }: StunBinding, password: string): boolean {
  return timingSafeEqual(integrity(bytes, integrityAt, password), bytes.subarray(integrityAt, integrityAt + 20))
}

/** Whether a request's tie-breaker is zero. */
export function hasZeroTieBreaker({ bytes, tieBreakerAt }: StunBinding): boolean {
  return tieBreakerAt !== undefined && bytes.subarray(tieBreakerAt, tieBreakerAt + 8).equals(zero)
}

/** A copy with another tie-breaker (8 bytes), sealed anew. */
export function withTieBreaker(binding: StunBinding, tieBreaker: Buffer, password: string): Buffer {
  const bytes = Buffer.from(binding.bytes)
  if (binding.tieBreakerAt !== undefined) tieBreaker.copy(bytes, binding.tieBreakerAt)
  return seal(bytes, binding, password)
}

/** A copy that names another IPv4 address as the one it was asked from, sealed anew; of IPv6 it is left as it is. */
export function withMappedAddress(
  binding: StunBinding,
  { address, port }: { address: string; port: number },
  password: string,
): Buffer {
  const at = binding.mappedAddressAt
  if (at === undefined || !isIPv4(address)) return binding.bytes
  const bytes = Buffer.from(binding.bytes)
  // RFC 8489 §14.2
  bytes.writeUInt16BE(port ^ (magicCookie >>> 16), at + 2)
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  bytes.writeUInt32BE((number ^ magicCookie) >>> 0, at + 4)
  return seal(bytes, binding, password)
}

function seal(bytes: Buffer, { integrityAt, fingerprintAt }: StunBinding, password: string): Buffer {
  integrity(bytes, integrityAt, password).copy(bytes, integrityAt)
  // RFC 8489 §14.7
  if (fingerprintAt !== undefined) {
    const head = upTo(bytes, fingerprintAt - 4, 8)
    bytes.writeUInt32BE((crc32(head) ^ 0x5354554e) >>> 0, fingerprintAt)
  }
  return bytes
}

function integrity(bytes: Buffer, integrityAt: number, password: string): Buffer {
  return createHmac('sha1', password)
    .update(upTo(bytes, integrityAt - 4, 24))
    .digest()
}

/** What comes before an attribute; the length in the header counts to that attribute's end. */
function upTo(bytes: Buffer, end: number, attributeBytes: number): Buffer {
  const head = Buffer.from(bytes.subarray(0, end))
  head.writeUInt16BE(end - headerBytes + attributeBytes, 2)
  return head
}
