import { readBinding } from '@porchlight/proto/net/stun.ts'

/** One datagram of an attack. */
export interface Strike {
  bytes: Uint8Array
  /** Whose address it bears: the attacker's own, or (forged) the honest peer's. */
  from: 'stranger' | 'peer'
}

/** Something that is done to a running session by somebody who can read the wire and holds no key. */
export interface Attack {
  name: string
  /** @param fromPeer what the honest peer sent to the engine so far */
  strikes(fromPeer: readonly Buffer[]): Strike[]
  /** The engine may answer the attacker with STUN; without it, with nothing. */
  answered?: boolean
}

/** By the first byte (RFC 7983 §7). */
export const isSrtp = (bytes: Buffer) => bytes[0]! >= 128 && bytes[0]! <= 191

/** The peer's connectivity checks. */
export function checksOf(fromPeer: readonly Buffer[]): Buffer[] {
  return fromPeer.filter((one) => readBinding(one)?.kind === 'request')
}

/** `engine's ufrag:peer's ufrag`, as it stands in the peer's checks. */
export function usernameOf(fromPeer: readonly Buffer[]): string {
  const [check] = checksOf(fromPeer)
  const username = check && readBinding(check)?.username
  if (username === undefined) throw new Error('the peer made no check')
  return username
}

export function fromStranger(all: readonly Uint8Array[]): Strike[] {
  return all.map((bytes) => ({ bytes, from: 'stranger' }))
}

export function fromBoth(all: readonly Uint8Array[]): Strike[] {
  return all.flatMap((bytes): Strike[] => [
    { bytes, from: 'stranger' },
    { bytes, from: 'peer' },
  ])
}
