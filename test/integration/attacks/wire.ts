import type { Address } from '../../support/attacker/stranger.ts'
import { startUdpRelay, type Way } from '../../support/udp-relay.ts'

/** What the engine gets in place of a datagram of its peer's; undefined: the datagram itself. */
export type Alteration = (bytes: Buffer) => Buffer[] | undefined

/** The way between engine and peer, with somebody sitting on it. */
export interface Wire {
  /** Where the relay is reached. */
  port: number
  fromPeer: readonly Buffer[]
  spoof(bytes: Uint8Array): void
  catchNext(kind: (bytes: Buffer) => boolean): Promise<Buffer>
  /** The address of the side that sends to the relay. */
  client(): Address
  close(): Promise<void>
}

/**
 * @param target UDP port of the side that the relay sends to
 * @param toEngine in which direction of the relay the engine lies
 * @param alter done to what the peer sends
 */
export async function openWire(target: number, toEngine: Way, alter?: Alteration): Promise<Wire> {
  const fromPeer: Buffer[] = []
  let trap: { kind: (bytes: Buffer) => boolean; caught: (bytes: Buffer) => void } | undefined
  const relay = await startUdpRelay({
    target: { port: target },
    tap: (way, bytes) => {
      if (way !== toEngine) return true
      if (trap?.kind(bytes)) {
        trap.caught(bytes)
        trap = undefined
        return false
      }
      fromPeer.push(bytes)
      const instead = alter?.(bytes)
      for (const one of instead ?? []) relay.inject(toEngine, one)
      return instead === undefined
    },
  })
  return {
    port: relay.port,
    fromPeer,
    spoof: (bytes) => relay.inject(toEngine, bytes),
    catchNext: (kind) =>
      new Promise((caught) => {
        trap = { kind, caught }
      }),
    client: () => {
      if (relay.client === undefined) throw new Error('nobody has sent anything yet')
      return { address: relay.client.address, port: relay.client.port }
    },
    close: () => relay.close(),
  }
}
