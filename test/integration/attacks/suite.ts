import { readBinding } from '@porchlight/proto/net/stun.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Stranger } from '../../support/attacker/stranger.ts'
import { until } from '../../support/until.ts'
import { type Attack, isSrtp } from './attack.ts'
import { attacks } from './attacks.ts'
import type { EngineUnderAttack, Peer } from './engine-under-attack.ts'
import type { Flow } from './flow.ts'
import { helloAlterations } from './hello-alterations.ts'
import { HonestPeer } from './honest-peer.ts'
import { KeylessPeer } from './keyless-peer.ts'
import { lines, rtpPacket } from './lines.ts'
import { opened, started, stranger, victim } from './victim.ts'

async function strike(attack: Attack, flow: Flow, attacker: Stranger, between: () => Promise<void>): Promise<void> {
  const { address, fromPeer, spoof } = flow.engine
  for (const { bytes, from } of attack.strikes([...fromPeer])) {
    if (from === 'peer') spoof(bytes)
    else await attacker.send(bytes, address)
    await between()
  }
}

const over = (states: readonly string[]) => ['disconnected', 'failed', 'closed'].includes(states.at(-1) ?? '')

/**
 * The contract of every engine towards people it does not know.
 * @param more what this engine withstands besides
 */
export function withstands(name: string, start: () => Promise<EngineUnderAttack>, more: readonly Attack[] = []): void {
  describe(`${name}: a session goes on without losing a packet through`, () => {
    test.each([...attacks, ...more])('$name', async (attack) => {
      const flow = await victim(await started(start))
      const attacker = await stranger()
      await strike(attack, flow, attacker, () => flow.rounds(1))
      await flow.goesOn()
      flow.expectWhole()
      const heard = attack.answered ? attacker.heard.filter((one) => readBinding(one) === undefined) : attacker.heard
      expect(heard).toEqual([])
    })
  })

  test(`${name}: SRTP that it has not seen yet does not count from another address`, async () => {
    const flow = await victim(await started(start))
    const caught = flow.engine.catchNext(isSrtp)
    const number = 500
    flow.peer.send(rtpPacket(lines.audio, number))
    const packet = await caught
    await (await stranger()).send(packet, flow.engine.address)
    await flow.goesOn()
    flow.expectWhole()
    flow.engine.spoof(packet)
    await flow.engine.inbox.arrival(number)
  })

  describe(`${name}: no session with`, () => {
    test('a peer whose certificate is not the one of the SDP', async () => {
      const engine = await started(start)
      const flow = await victim(engine)
      const peer = new HonestPeer()
      onTestFinished(() => peer.close())
      const end = await opened(engine, withOtherFingerprint(peer))
      await until('the session to end', () => over(end.states))
      expect(end.states).not.toContain('connected')
      expect([end.inbox.numbers, peer.inbox.numbers]).toEqual([[], []])
      await flow.rounds(20)
      flow.expectWhole()
    })

    test('a peer that has the right certificate and not its key', async () => {
      const engine = await started(start)
      const owner = await KeylessPeer.open({ ownKey: true })
      onTestFinished(() => owner.close())
      const met = await opened(engine, owner)
      await until('the same peer with its key to connect', () => met.states.includes('connected'))

      const peer = await KeylessPeer.open({ ownKey: false })
      onTestFinished(() => peer.close())
      const end = await opened(engine, peer)
      await until('the session to end', () => over(end.states))
      expect(end.states).not.toContain('connected')
    })
  })
}

/** What an engine that is the DTLS server has to withstand of the network; the gateway is the client of its peers. */
export function takesHellos(name: string, start: () => Promise<EngineUnderAttack>): void {
  describe(`${name}: connects where the halves of a ClientHello`, () => {
    test.each(Object.entries(helloAlterations))('%s', async (_, make) => {
      const { alter, seen } = make()
      const flow = await victim(await started(start), alter)
      expect(seen).toContain(0)
      await flow.rounds(20)
      flow.expectWhole()
    })
  })
}

/** The engine's known weaknesses, so that it is noticed when one is gone, and that it does not grow. */
export function knownWeaknesses(
  name: string,
  start: () => Promise<EngineUnderAttack>,
  weaknesses: readonly Attack[],
): void {
  describe(`${name}: known weaknesses`, () => {
    test.each(weaknesses)('$name: ends that session and no other', async (attack) => {
      const engine = await started(start)
      const [flow, other] = [await victim(engine), await victim(engine)]
      await strike(attack, flow, await stranger(), () => other.rounds(1))
      await until('the session to end', () => over(flow.engine.states))
      await other.goesOn()
      other.expectWhole()
      await (await victim(engine)).rounds(10)
    })
  })
}

/** The SDP names a certificate that the peer does not have. */
function withOtherFingerprint(peer: Peer): Peer {
  const lie = (sdp: string) =>
    sdp.replace(/(?<=a=fingerprint:sha-256 )[0-9A-F]{2}/gi, (byte) => (byte === '00' ? '01' : '00'))
  return {
    offer: async () => lie(await peer.offer()),
    accept: (answer) => peer.accept(answer),
    answer: async (offer) => lie(await peer.answer(offer)),
  }
}
