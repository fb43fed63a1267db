import type { ReportBlock } from '@porchlight/proto/media/rtcp.ts'
import type { TransportFeedback } from '@porchlight/proto/media/transport-cc.ts'

/** Rates are bytes per ms (1 = 8 kbit/s). */
export interface LinkLimits {
  initial: number
  least: number
  most: number
}

export const defaultLinkLimits: LinkLimits = { initial: 500, least: 40, most: 25_000 }

const historySize = 4_096
/** Packets sent within this time of each other are one train: their spacing at arrival is the link's doing. */
const trainGapMs = 0.7
const trainPackets = 5
/** Queueing delay above which the link is taken for full, ms; below the lower one it is taken for free. */
const fullMs = 70
const freeMs = 25
const baseWindowMs = 10_000
/** Without a train the rate grows to no more than this many times what comes through. */
const mostUnfelt = 3
/** Growth in one step where a train has shown room for it. */
const mostGrowth = 16

/**
 * What a viewer's link bears: begins moderately and grows fast while nothing speaks against it. Transport-wide feedback
 * tells the delay of each packet; a train of packets sent at once tells the bottleneck's rate by the way it is drawn
 * apart; queueing delay and loss take the rate back. A first, honest version: no trend filter, no probing when idle.
 */
export class LinkEstimate {
  readonly #limits: LinkLimits
  readonly #sentMs = new Float64Array(historySize)
  readonly #sentBytes = new Uint32Array(historySize)
  readonly #sentSequence = new Int32Array(historySize).fill(-1)
  #rate: number
  #probing = true
  #base: { ms: number; atMs: number } | undefined
  #nextBase: { ms: number; atMs: number } | undefined
  #queueMs = 0
  #holdUntilMs = 0
  #reportedMs = 0

  constructor(limits: LinkLimits = defaultLinkLimits) {
    this.#limits = limits
    this.#rate = limits.initial
  }

  /** What is believed to pass, bytes per ms. */
  get rate(): number {
    return this.#rate
  }

  /** Nothing has yet shown where the link ends. */
  get probing(): boolean {
    return this.#probing
  }

  /** Queueing delay of the last feedback, ms. */
  get queueMs(): number {
    return this.#queueMs
  }

  /** No queue stands on the link. */
  get free(): boolean {
    return this.#queueMs <= freeMs
  }

  /** @param sequence transport-wide, uint16 */
  sent(sequence: number, bytes: number, nowMs: number): void {
    const slot = sequence & (historySize - 1)
    this.#sentMs[slot] = nowMs
    this.#sentBytes[slot] = bytes
    this.#sentSequence[slot] = sequence
  }

  /** The same packet was sent once more under its number: nobody can tell which of the two arrives. */
  sentAgain(sequence: number): void {
    const slot = sequence & (historySize - 1)
    if (this.#sentSequence[slot] === sequence) this.#sentSequence[slot] = -1
  }

  feedback(feedback: TransportFeedback, nowMs: number): void {
    let received = 0
    let lost = 0
    let bytes = 0
    let firstMs = Number.POSITIVE_INFINITY
    let lastMs = Number.NEGATIVE_INFINITY
    let least = Number.POSITIVE_INFINITY
    const delays: number[] = []
    let capacity = 0
    let train = { packets: 0, bytes: 0, sentMs: 0, fromMs: 0, toMs: 0 }
    for (const { sequence, atUs } of feedback.arrivals) {
      const slot = sequence & (historySize - 1)
      if (this.#sentSequence[slot] !== sequence) continue
      if (atUs === undefined) {
        lost++
        continue
      }
      const atMs = atUs / 1000
      const sentMs = this.#sentMs[slot]!
      const size = this.#sentBytes[slot]!
      received++
      bytes += size
      firstMs = Math.min(firstMs, atMs)
      lastMs = Math.max(lastMs, atMs)
      least = Math.min(least, atMs - sentMs)
      delays.push(atMs - sentMs)
      if (train.packets > 0 && sentMs - train.sentMs <= trainGapMs && atMs >= train.toMs) {
        train.packets++
        train.bytes += size
        train.sentMs = sentMs
        train.toMs = atMs
      } else {
        capacity = Math.max(capacity, trainRate(train))
        train = { packets: 1, bytes: 0, sentMs, fromMs: atMs, toMs: atMs }
      }
    }
    if (received === 0) return
    capacity = Math.max(capacity, trainRate(train))
    this.#rebase(least, nowMs)
    // Of the last few, the one that waited least: a lone late packet is not a queue.
    this.#queueMs = Math.max(0, Math.min(...delays.slice(-5)) - (this.#base?.ms ?? least))
    const delivered = lastMs - firstMs >= 10 ? bytes / (lastMs - firstMs) : undefined
    this.#decide(lost / (received + lost), received + lost, delivered, capacity, nowMs)
  }

  #decide(loss: number, packets: number, delivered: number | undefined, capacity: number, nowMs: number): void {
    const lossy = packets >= 10 && loss > 0.05
    if (this.#queueMs > fullMs || lossy) {
      this.#probing = false
      if (nowMs < this.#holdUntilMs) return
      // What came through is what the link bears; a little less lets the queue run dry.
      this.#set(Math.min(this.#rate, delivered ?? this.#rate) * (lossy && loss > 0.1 ? 0.7 : 0.85))
      this.#holdUntilMs = nowMs + 200
      return
    }
    // A train that was drawn apart shows where the link ends, even while its own queue has not run dry.
    if (capacity > 0 && capacity < this.#rate * 2) this.#probing = false
    if (this.#queueMs > freeMs) {
      if (capacity > 0) this.#set(Math.min(this.#rate, capacity * 0.9))
      return
    }
    if (capacity > 0) {
      this.#set(Math.max(this.#rate, Math.min(capacity * 0.85, this.#rate * mostGrowth)))
      return
    }
    // No train, no queue: double what comes through while probing, else feel the way up, as far as there is traffic to feel.
    const probed = Math.min(this.#rate * 2, (delivered ?? this.#rate) * 2)
    const felt = Math.min(this.#rate * 1.04 + 1, (delivered ?? this.#rate) * mostUnfelt)
    this.#set(this.#probing ? Math.max(this.#rate, probed) : Math.max(this.#rate, felt))
  }

  /** A viewer without transport-wide feedback: receiver reports alone (about one a second). */
  report(block: ReportBlock, nowMs: number): void {
    if (nowMs - this.#reportedMs < 200) return
    this.#reportedMs = nowMs
    const loss = block.fractionLost / 256
    if (loss > 0.1) {
      this.#probing = false
      this.#set(this.#rate * 0.7)
    } else if (loss < 0.02) this.#set(this.#probing ? this.#rate * 2 : this.#rate * 1.08)
  }

  /** Least delay of the last ten seconds and more, in two overlapping windows, so that a changed path is learnt. */
  #rebase(least: number, nowMs: number): void {
    if (!this.#base || least <= this.#base.ms) this.#base = { ms: least, atMs: nowMs }
    if (!this.#nextBase || least <= this.#nextBase.ms) this.#nextBase = { ms: least, atMs: nowMs }
    if (nowMs - this.#base.atMs > baseWindowMs) {
      this.#base = this.#nextBase
      this.#nextBase = { ms: least, atMs: nowMs }
    }
  }

  #set(rate: number): void {
    this.#rate = Math.max(this.#limits.least, Math.min(this.#limits.most, rate))
  }
}

function trainRate(train: { packets: number; bytes: number; fromMs: number; toMs: number }): number {
  if (train.packets < trainPackets) return 0
  // Feedback counts in steps of 250 µs: a shorter span says no more than "fast".
  return train.bytes / Math.max(0.25, train.toMs - train.fromMs)
}
