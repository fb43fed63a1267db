import { type MediaPacket, PacketRing } from './packet-ring.ts'

export interface GopLimits {
  /** Longest group of pictures that is kept for those who join, ms. */
  gopMs: number
  /** Largest such group, bytes of payload. */
  gopBytes: number
  /** What is kept for retransmissions in any case, ms. */
  historyMs: number
  /** Packets in all; a power of two. */
  packets: number
}

export const defaultGopLimits: GopLimits = { gopMs: 12_000, gopBytes: 12 << 20, historyMs: 1_500, packets: 16_384 }

/**
 * The current group of pictures and the last moments: what a joining viewer gets at once, and what is sent again.
 * A group that outgrows its limits is no longer offered; the next keyframe mends that.
 */
export class GopCache {
  readonly ring: PacketRing
  readonly #limits: GopLimits
  readonly #clockRate: number
  #start: number | undefined
  #startMs = 0
  #bytes = 0
  /** The last keyframes' distance, ms. */
  #intervalMs: number | undefined
  #startTimestamp: number | undefined
  /** Packets in order of arrival age: where the history begins. */
  #historyFrom = 0

  constructor(clockRate: number, limits: GopLimits = defaultGopLimits) {
    this.#clockRate = clockRate
    this.#limits = limits
    this.ring = new PacketRing(limits.packets)
  }

  /** Sequence number of the current group's first packet; undefined where there is none to offer. */
  get start(): number | undefined {
    return this.#start
  }

  /** Distance of the last two keyframes in ms, undefined before there were two. */
  get intervalMs(): number | undefined {
    return this.#intervalMs
  }

  /** Expected time from the newest packet to the next keyframe, ms; Infinity where nothing is known. */
  get msToNextKeyframe(): number {
    if (this.#intervalMs === undefined || this.#startTimestamp === undefined) return Number.POSITIVE_INFINITY
    const newest = this.ring.get(this.ring.head)
    if (!newest) return Number.POSITIVE_INFINITY
    const age = ((newest.timestamp - this.#startTimestamp) / this.#clockRate) * 1000
    return Math.max(0, this.#intervalMs - age)
  }

  /** False where the packet came before or too late. */
  put(packet: MediaPacket): boolean {
    if (!this.ring.put(packet)) return false
    if (packet.keyframe) this.#keyframe(packet)
    else if (this.#start !== undefined && packet.ext > this.#start) this.#bytes += packet.payload.length
    if (this.#start !== undefined) {
      const tooLong = packet.arrivalMs - this.#startMs > this.#limits.gopMs
      if (tooLong || this.#bytes > this.#limits.gopBytes || this.#start < this.ring.oldest) this.#start = undefined
    }
    this.#evict(packet.arrivalMs)
    return true
  }

  #keyframe(packet: MediaPacket): void {
    // A repaired keyframe of an earlier group changes nothing; parameter sets and picture may each look like the start.
    if (this.#startTimestamp !== undefined && packet.timestamp <= this.#startTimestamp) {
      const sameFrame = packet.timestamp === this.#startTimestamp
      if (sameFrame && this.#start !== undefined && packet.ext < this.#start) this.#start = packet.ext
      return
    }
    if (this.#startTimestamp !== undefined) {
      this.#intervalMs = ((packet.timestamp - this.#startTimestamp) / this.#clockRate) * 1000
    }
    this.#start = packet.ext
    this.#startTimestamp = packet.timestamp
    this.#startMs = packet.arrivalMs
    this.#bytes = packet.payload.length
  }

  #evict(now: number): void {
    const ring = this.ring
    if (this.#historyFrom < ring.oldest) this.#historyFrom = ring.oldest
    while (this.#historyFrom < ring.head) {
      const packet = ring.get(this.#historyFrom)
      if (packet && now - packet.arrivalMs <= this.#limits.historyMs) break
      this.#historyFrom++
    }
    ring.dropBefore(Math.min(this.#historyFrom, this.#start ?? this.#historyFrom))
  }
}
