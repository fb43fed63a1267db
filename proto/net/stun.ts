import { createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** RFC 8489 §5. */
export const stunHeaderBytes = 20
export const magicCookie = 0x2112a442
/** Longer than a datagram on any path is no check of anybody's, bytes. */
const mostBytes = 1_500

/** Types of Binding messages: the method with its class bits (RFC 8489 §5). */
const kinds = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 } as const
const kindOf = new Map(Object.entries(kinds).map(([kind, type]) => [type as number, kind as BindingKind]))
export type BindingKind = keyof typeof kinds

/** Those that we read (RFC 8489 §18.3, RFC 8445 §16.1). */
const types = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  xorMappedAddress: 0x0020,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const
const hmacBytes = 20
const crcBytes = 4

/** A Binding message, and where in its bytes the values of its attributes stand. */
export interface Binding {
  kind: BindingKind
  bytes: Buffer
  /** In a check: `receiver's ufrag:sender's ufrag` (RFC 8445 §7.2.2). */
  username: string | undefined
  /** Of ICE-CONTROLLING or ICE-CONTROLLED, 8 bytes. */
  tieBreakerAt: number | undefined
  xorMappedAddress: { at: number; length: number } | undefined
  /** Of MESSAGE-INTEGRITY, 20 bytes. */
  integrityAt: number | undefined
  /** Of FINGERPRINT, 4 bytes. */
  fingerprintAt: number | undefined
}

/**
 * Reads a Binding message; undefined for all else. Stricter than RFC 8489 §14: an attribute that stands twice, or behind
 * MESSAGE-INTEGRITY without being FINGERPRINT, makes it none. It would be ignored by some readers and believed by others,
 * and nobody has signed it.
 */
export function readBinding(bytes: Buffer): Binding | undefined {
  if (bytes.length < stunHeaderBytes || bytes.length > mostBytes || bytes.readUInt32BE(4) !== magicCookie) {
    return undefined
  }
  const kind = kindOf.get(bytes.readUInt16BE(0))
  if (kind === undefined || bytes.readUInt16BE(2) !== bytes.length - stunHeaderBytes) return undefined
  const found = new Map<number, { at: number; length: number }>()
  for (let at = stunHeaderBytes; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined
    const type = bytes.readUInt16BE(at)
    const length = bytes.readUInt16BE(at + 2)
    const next = at + 4 + padded(length)
    const last = found.has(types.fingerprint) || (found.has(types.messageIntegrity) && type !== types.fingerprint)
    if (next > bytes.length || last || found.has(type)) return undefined
    found.set(type, { at: at + 4, length })
    at = next
  }
  const valueAt = (type: number, length: number) => {
    const value = found.get(type)
    return value?.length === length ? value.at : undefined
  }
  const username = found.get(types.username)
  return {
    kind,
    bytes,
    username: username && bytes.toString('latin1', username.at, username.at + username.length),
    tieBreakerAt: valueAt(types.iceControlling, 8) ?? valueAt(types.iceControlled, 8),
    xorMappedAddress: found.get(types.xorMappedAddress),
    integrityAt: valueAt(types.messageIntegrity, hmacBytes),
    fingerprintAt: valueAt(types.fingerprint, crcBytes),
  }
}

/** Whether it bears the MESSAGE-INTEGRITY of somebody who knows the password (RFC 8489 §9.1.3). */
export function isAuthentic({ bytes, integrityAt }: Binding, password: string): boolean {
  if (integrityAt === undefined) return false
  return timingSafeEqual(integrity(bytes, integrityAt, password), bytes.subarray(integrityAt, integrityAt + hmacBytes))
}

/**
 * A copy with other words in it, sealed anew: MESSAGE-INTEGRITY and FINGERPRINT are made again where they were.
 * @param change writes into the copy; all stays where it is
 */
export function resealed(binding: Binding, password: string, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(binding.bytes)
  change(bytes)
  const { integrityAt, fingerprintAt } = binding
  if (integrityAt !== undefined) integrity(bytes, integrityAt, password).copy(bytes, integrityAt)
  if (fingerprintAt !== undefined) {
    const crc = crc32(upTo(bytes, fingerprintAt - 4, 4 + crcBytes))
    bytes.writeUInt32BE((crc ^ 0x5354554e) >>> 0, fingerprintAt) // RFC 8489 §14.7
  }
  return bytes
}

/** Values are padded to four bytes, and so is ChannelData in a stream (RFC 8489 §14, RFC 8656 §12.5). */
export function padded(length: number): number {
  return (length + 3) & ~3
}

/** RFC 8489 §14.5. */
function integrity(bytes: Buffer, at: number, password: string): Buffer {
  return createHmac('sha1', password)
    .update(upTo(bytes, at - 4, 4 + hmacBytes))
    .digest()
}

/** What comes before an attribute; the length in the header counts to that attribute's end. */
function upTo(bytes: Buffer, end: number, attributeBytes: number): Buffer {
  const head = Buffer.from(bytes.subarray(0, end))
  head.writeUInt16BE(end - stunHeaderBytes + attributeBytes, 2)
  return head
}
