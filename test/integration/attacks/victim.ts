import { onTestFinished } from 'vitest'
import { Stranger } from '../../support/attacker/stranger.ts'
import type { EngineEnd, EngineUnderAttack, Peer } from './engine-under-attack.ts'
import { Flow } from './flow.ts'
import { HonestPeer } from './honest-peer.ts'
import type { Alteration } from './wire.ts'

/** An engine that is closed when the test is over, like all here. */
export async function started<Kind extends EngineUnderAttack>(start: () => Promise<Kind>): Promise<Kind> {
  const engine = await start()
  onTestFinished(() => engine.close())
  return engine
}

/** A session with an honest peer, through which packets pass. @param alter done to what the peer sends */
export async function victim(engine: EngineUnderAttack, alter?: Alteration): Promise<Flow> {
  const peer = new HonestPeer()
  onTestFinished(() => peer.close())
  const flow = new Flow(await opened(engine, peer, alter), peer)
  await flow.begin()
  return flow
}

/** A session that was begun. */
export async function opened(engine: EngineUnderAttack, peer: Peer, alter?: Alteration): Promise<EngineEnd> {
  const end = await engine.open(peer, alter)
  onTestFinished(() => end.close())
  return end
}

export async function stranger(): Promise<Stranger> {
  const one = await Stranger.open()
  onTestFinished(() => one.close())
  return one
}
