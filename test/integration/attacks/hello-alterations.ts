import { handshakeTypes, parseHandshake, parseRecords } from '../../../device/webrtc/werift/dtls-records.ts'
import { halves } from '../../support/attacker/halves.ts'
import type { Alteration } from './wire.ts'

export interface HelloAlteration {
  alter: Alteration
  /** Numbers of the ClientHellos that came: with an engine that asks for a cookie there are two. */
  seen: ReadonlySet<number>
}

/** Number of the ClientHello that a datagram brings. */
function helloNumber(bytes: Buffer): number | undefined {
  const [record] = parseRecords(bytes)
  const [message] = (record?.epoch === 0 && parseHandshake(record.fragment)) || []
  return message?.type === handshakeTypes.clientHello ? message.number : undefined
}

/** @param change what becomes of the two halves of a ClientHello; `again`: the same hello came before */
function alteration(change: (pieces: Buffer[], again: boolean) => Buffer[], overlap = 0): () => HelloAlteration {
  return () => {
    const seen = new Set<number>()
    const alter: Alteration = (bytes) => {
      if (bytes[0]! < 20 || bytes[0]! > 63) return undefined // DTLS alone (RFC 7983 §7)
      const pieces = halves(bytes, { cuts: (type) => type === handshakeTypes.clientHello, overlap })
      const number = helloNumber(bytes)
      if (number === undefined) return pieces
      const again = seen.has(number)
      seen.add(number)
      return change(pieces, again)
    }
    return { alter, seen }
  }
}

/** What a network does to a ClientHello in two datagrams. */
export const helloAlterations: Readonly<Record<string, () => HelloAlteration>> = {
  'come as they are': alteration((pieces) => pieces),
  'come without the first, the first time': alteration((pieces, again) => (again ? pieces : pieces.slice(1))),
  'come without the second, the first time': alteration((pieces, again) => (again ? pieces : pieces.slice(0, 1))),
  'come twice each': alteration((pieces) => pieces.flatMap((piece) => [piece, piece])),
  'come the other way round': alteration((pieces) => pieces.reverse()),
  'overlap, come twice and the other way round': alteration((pieces) => [...pieces, ...pieces].reverse(), 9),
}
