import { type CandidatePair, Connection, type Protocol, type StunOverTurnProtocol, type StunProtocol } from 'werift'
import type { Address } from './ice-socket.ts'

/** What we use of werift's ICE agent besides its public face; ice-agent.test.ts would fail without it. */
interface ConnectionInside {
  protocols: Protocol[]
  ensureProtocol(protocol: Protocol): void
  pairLocalProtocol(protocol: Protocol): void
}

interface PairInside {
  requestTransactionIds: Set<string>
}

interface StunInside {
  datagramReceived(bytes: Buffer, from: Address): void
}

interface TurnInside {
  handleStunMessage(bytes: Buffer, from: Address): void
}

/** An agent that opens no socket of its own, and so asks no STUN server of werift's choice. */
export function openConnection(username: string, password: string): Connection {
  const connection = new Connection(true, { useIpv4: false, useIpv6: false, useTcp: false })
  connection.localUsername = username
  connection.localPassword = password
  connection.userHistory = { [username]: password }
  return connection
}

/** Gives the agent a way to send and hear by. */
export function addProtocol(connection: Connection, protocol: Protocol): void {
  const inside = connection as unknown as ConnectionInside
  inside.ensureProtocol(protocol)
  inside.protocols.push(protocol)
  inside.pairLocalProtocol(protocol)
}

/** What the agent does with a datagram of STUN. */
export function stunOf(protocol: StunProtocol, bytes: Buffer, from: Address): void {
  const inside = protocol as unknown as StunInside
  inside.datagramReceived(bytes, from)
}

/** Puts a guard before what comes by a relay. */
export function guardRelay(
  protocol: StunOverTurnProtocol,
  guard: (bytes: Buffer, from: Address, pass: () => void) => void,
): void {
  const inside = protocol as unknown as TurnInside
  const pass = inside.handleStunMessage
  inside.handleStunMessage = (bytes, from) => guard(bytes, from, () => pass(bytes, from))
}

/** Lets go of what a pair keeps of every check that came: it grows as long as a session lives. */
export function forgetChecks(pair: CandidatePair): void {
  const inside = pair as unknown as PairInside
  inside.requestTransactionIds.clear()
}
