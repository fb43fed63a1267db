import { createHmac, timingSafeEqual } from 'node:crypto'

/** RFC 8489 §5, §18.3. */
const magicCookie = 0x2112a442
const attributes = { username: 0x0006, messageIntegrity: 0x0008, fingerprint: 0x8028 } as const
const head = 20
const hmacBytes = 20

export type StunClass = 'request' | 'indication' | 'response'

/** What a STUN Binding message is; undefined for all else. */
export function bindingClass(bytes: Buffer): StunClass | undefined {
  if (bytes.length < head || bytes.readUInt32BE(4) !== magicCookie) return undefined
  if (bytes.readUInt16BE(2) !== bytes.length - head) return undefined
  switch (bytes.readUInt16BE(0)) {
    case 0x0001:
      return 'request'
    case 0x0011:
      return 'indication'
    case 0x0101:
    case 0x0111:
      return 'response'
    default:
      return undefined
  }
}

/**
 * Whether a Binding request names this user and is signed with this password (RFC 8445 §7.3, RFC 8489 §9.1.3). Nothing but
 * FINGERPRINT may stand behind MESSAGE-INTEGRITY: werift would believe it, and nobody has signed it.
 */
export function isAuthentic(bytes: Buffer, username: string, password: string): boolean {
  let user: string | undefined
  for (let at = head; at + 4 <= bytes.length; ) {
    const type = bytes.readUInt16BE(at)
    const length = bytes.readUInt16BE(at + 2)
    const value = bytes.subarray(at + 4, at + 4 + length)
    const next = at + 4 + ((length + 3) & ~3)
    if (value.length !== length || next > bytes.length) return false
    if (type === attributes.username) {
      if (user !== undefined) return false
      user = value.toString('utf8')
    } else if (type === attributes.messageIntegrity) {
      return user === username && onlyFingerprint(bytes.subarray(next)) && fits(bytes, at, value, password)
    }
    at = next
  }
  return false
}

function onlyFingerprint(rest: Buffer): boolean {
  return rest.length === 0 || (rest.length === 8 && rest.readUInt16BE(0) === attributes.fingerprint)
}

/** RFC 8489 §14.5: over all that stands before, its length field counting up to the end of this attribute. */
function fits(bytes: Buffer, at: number, value: Buffer, password: string): boolean {
  if (value.length !== hmacBytes) return false
  const signed = Buffer.from(bytes.subarray(0, at))
  signed.writeUInt16BE(at - head + 4 + hmacBytes, 2)
  return timingSafeEqual(createHmac('sha1', password).update(signed).digest(), value)
}
