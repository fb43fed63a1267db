import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { until } from '../../support/until.ts'
import type { EngineEnd } from './engine-under-attack.ts'
import type { HonestPeer } from './honest-peer.ts'
import { lines, rtpPacket } from './lines.ts'

/**
 * Numbered packets both ways between the engine and its honest peer. Each round waits for its two packets: so an attack
 * goes as fast as the engine can take it, and a packet that is missing was lost by the engine, not by a full socket.
 */
export class Flow {
  readonly engine: EngineEnd
  readonly peer: HonestPeer
  #sent = 0

  constructor(engine: EngineEnd, peer: HonestPeer) {
    this.engine = engine
    this.peer = peer
  }

  /** Resolves when packets pass both ways. */
  async begin(): Promise<void> {
    await until('both lines to open', () => {
      const open = this.engine.send(rtpPacket(lines.video, 0)) && this.peer.send(rtpPacket(lines.audio, 0))
      return open && this.engine.inbox.numbers.length > 0 && this.peer.inbox.numbers.length > 0
    })
    await this.rounds(10)
  }

  /** @throws Error naming the packet that was lost */
  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round += 1) {
      const number = ++this.#sent
      if (!this.engine.send(rtpPacket(lines.video, number))) throw new Error(`packet ${number} could not be sent`)
      if (!this.peer.send(rtpPacket(lines.audio, number))) throw new Error(`packet ${number} could not be sent`)
      await Promise.all([this.engine.inbox.arrival(number), this.peer.inbox.arrival(number)])
    }
  }

  /** Fifty packets each way within more than a second: what an attack made ICE do a moment later would show. */
  async goesOn(): Promise<void> {
    for (let packet = 0; packet < 50; packet += 1) {
      await this.rounds(1)
      await wait(25)
    }
  }

  /** Every packet arrived, in order, once. */
  expectWhole(): void {
    const sent = Array.from({ length: this.#sent }, (_, index) => index + 1)
    expect(this.engine.inbox.numbers.filter((number) => number > 0)).toEqual(sent)
    expect(this.peer.inbox.numbers.filter((number) => number > 0)).toEqual(sent)
    expect(this.engine.states.at(-1)).toBe('connected')
  }
}
