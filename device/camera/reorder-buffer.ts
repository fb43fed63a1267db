import { type RtpPacket, SequenceUnwrapper } from '@porchlight/proto/media/rtp.ts'

/** Packets held back at most; a keyframe's burst is rarely torn further apart. */
export const maxHeldPackets = 128
/** Longest wait for a packet that is missing, ms. */
export const maxHoldMs = 60
/** A step of sequence numbers larger than this is a new stream, not a loss (RFC 3550 A.1 MAX_DROPOUT). */
const maxStep = 3_000

/**
 * Puts UDP packets in order: what arrives early is held until the gap closes, or for {@link maxHoldMs} or
 * {@link maxHeldPackets}; then the gap is given up and said. Late and double packets are dropped.
 */
export class ReorderBuffer {
  readonly #deliver: (packet: RtpPacket, lostBefore: number) => void
  #unwrapper = new SequenceUnwrapper()
  #next: number | undefined
  readonly #held = new Map<number, { packet: RtpPacket; atMs: number }>()
  /** Packets that never came, since the beginning. */
  lost = 0
  /** Packets that came twice or too late. */
  late = 0

  /** @param deliver gets packets in order; `lostBefore` is how many are missing ahead of this one */
  constructor(deliver: (packet: RtpPacket, lostBefore: number) => void) {
    this.#deliver = deliver
  }

  /** @param nowMs monotonic */
  push(packet: RtpPacket, nowMs: number): void {
    let sequence = this.#unwrapper.unwrap(packet.sequence)
    if (this.#next !== undefined && Math.abs(sequence - this.#next) > maxStep) {
      this.#giveUp(Number.POSITIVE_INFINITY)
      this.#unwrapper = new SequenceUnwrapper()
      sequence = this.#unwrapper.unwrap(packet.sequence)
      this.#next = sequence
      this.#pass(sequence, packet, 1)
      return
    }
    this.#next ??= sequence
    if (sequence < this.#next || this.#held.has(sequence)) {
      this.late += 1
      return
    }
    if (sequence === this.#next) this.#pass(sequence, packet, 0)
    else this.#held.set(sequence, { packet, atMs: nowMs })
    this.expire(nowMs)
  }

  /** Gives up what has been waited for long enough; call it also when nothing arrives. */
  expire(nowMs: number): void {
    if (this.#held.size === 0) return
    if (this.#held.size > maxHeldPackets) this.#giveUp(Math.max(0, this.#held.size - maxHeldPackets))
    while (this.#held.size > 0) {
      let oldest = Number.POSITIVE_INFINITY
      for (const held of this.#held.values()) oldest = Math.min(oldest, held.atMs)
      if (nowMs - oldest < maxHoldMs) return
      this.#giveUp(1)
    }
  }

  /** Whether packets wait for one that is missing. */
  get waiting(): boolean {
    return this.#held.size > 0
  }

  /** Delivers the lowest held packets, `count` at least, each run with the number of those missing before it. */
  #giveUp(count: number): void {
    let given = 0
    while (given < count && this.#held.size > 0) {
      const before = this.#held.size
      const lowest = Math.min(...this.#held.keys())
      const missing = lowest - (this.#next ?? lowest)
      this.lost += missing
      const { packet } = this.#held.get(lowest)!
      this.#held.delete(lowest)
      this.#pass(lowest, packet, missing)
      given += before - this.#held.size
    }
  }

  #pass(sequence: number, packet: RtpPacket, lostBefore: number): void {
    this.#deliver(packet, lostBefore)
    let next = sequence + 1
    for (let held = this.#held.get(next); held !== undefined; held = this.#held.get(next)) {
      this.#held.delete(next)
      this.#deliver(held.packet, 0)
      next += 1
    }
    this.#next = next
  }
}
