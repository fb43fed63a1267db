import type { MediaPacket } from './packet-ring.ts'

/** Longest wait for the rest of a picture, ms. */
const mostHeldMs = 2

/**
 * Hands on the packets of a picture together, with its last one: who takes them does so with warm caches, and wakes a viewer
 * once. Where the last one is late they go without it.
 */
export class PacketRun {
  readonly #hand: (packets: readonly MediaPacket[]) => void
  #held: MediaPacket[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(hand: (packets: readonly MediaPacket[]) => void) {
    this.#hand = hand
  }

  /** @param last nothing is to be waited for after this one */
  add(packet: MediaPacket, last: boolean): void {
    if (this.#held.length > 0 && this.#held[0]!.timestamp !== packet.timestamp) this.flush()
    this.#held.push(packet)
    if (last) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), mostHeldMs)
  }

  /** What is held goes now. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const packets = this.#held
    if (packets.length === 0) return
    this.#held = []
    this.#hand(packets)
  }
}
