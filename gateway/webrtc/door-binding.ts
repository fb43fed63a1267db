import { isIPv4 } from 'node:net'
import { type Binding, magicCookie, resealed } from '@porchlight/proto/net/stun.ts'

const zero = Buffer.alloc(8)

/** Whether a request's tie-breaker is zero. */
export function hasZeroTieBreaker({ bytes, tieBreakerAt: at }: Binding): boolean {
  return at !== undefined && bytes.subarray(at, at + 8).equals(zero)
}

/** A copy with another tie-breaker (8 bytes), sealed anew. */
export function withTieBreaker(binding: Binding, tieBreaker: Buffer, password: string): Buffer {
  const { tieBreakerAt: at } = binding
  return at === undefined ? binding.bytes : resealed(binding, password, (bytes) => tieBreaker.copy(bytes, at))
}

/** A copy that names another IPv4 address as the one it was asked from, sealed anew; of IPv6 it is left as it is. */
export function withMappedAddress(
  binding: Binding,
  { address, port }: { address: string; port: number },
  password: string,
): Buffer {
  const { xorMappedAddress: mapped } = binding
  // RFC 8489 §14.1: family 1 is IPv4.
  if (mapped?.length !== 8 || binding.bytes[mapped.at + 1] !== 0x01 || !isIPv4(address)) return binding.bytes
  return resealed(binding, password, (bytes) => {
    // RFC 8489 §14.2
    bytes.writeUInt16BE(port ^ (magicCookie >>> 16), mapped.at + 2)
    const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    bytes.writeUInt32BE((number ^ magicCookie) >>> 0, mapped.at + 4)
  })
}
