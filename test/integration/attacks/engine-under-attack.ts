import type { Address } from '../../support/attacker/stranger.ts'
import type { Inbox } from './inbox.ts'
import type { Alteration } from './wire.ts'

/** The other end of a session, honest or not, in whichever role the engine leaves to it. */
export interface Peer {
  offer(): Promise<string>
  accept(answer: string): Promise<void>
  answer(offer: string): Promise<string>
}

/** The engine's end of a session, and the wire to its peer, which the attacker can read and write. */
export interface EngineEnd {
  /** All states so far, oldest first. */
  readonly states: readonly string[]
  readonly inbox: Inbox
  /** Sends a packet of the video line; false where it is not open. */
  send(packet: Uint8Array): boolean
  /** Where the engine listens. */
  readonly address: Address
  /** What the peer sent to the engine so far. */
  readonly fromPeer: readonly Buffer[]
  /** Puts a datagram before the engine with the peer's own address as its source. */
  spoof(bytes: Uint8Array): void
  /** The peer's next datagram of a kind, which the engine does not get. */
  catchNext(kind: (bytes: Buffer) => boolean): Promise<Buffer>
  close(): Promise<void>
}

/** An engine as the contract sees it. */
export interface EngineUnderAttack {
  /** Begins a session with a peer. Not connected yet. @param alter done to what the peer sends */
  open(peer: Peer, alter?: Alteration): Promise<EngineEnd>
  close(): Promise<void>
}
