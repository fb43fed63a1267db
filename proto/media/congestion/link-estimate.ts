import type { ReportBlock } from '../report-block.ts'
import type { TransportFeedback } from '../transport-cc.ts'
import { AcknowledgedRate } from './acknowledged-rate.ts'
import { ArrivalClock } from './arrival-clock.ts'
import { BurstRate } from './burst-rate.ts'
import { LossShare } from './loss-share.ts'
import { OveruseDetector } from './overuse-detector.ts'
import { PacketGroups } from './packet-groups.ts'
import { Probes } from './probes.ts'
import { QueueDelay, shortQueueMs } from './queue-delay.ts'
import { RateControl } from './rate-control.ts'
import { fate, SentLog } from './sent-log.ts'
import { TrendLine } from './trend-line.ts'

/** Rates are bytes per ms (1 = 8 kbit/s). */
export interface LinkLimits {
  initial: number
  least: number
  most: number
}

/** What a datagram carries besides RTP, bytes: UDP, IP and SRTP tag. */
export const datagramOverhead = 38

export const defaultLinkLimits: LinkLimits = { initial: 500, least: 5, most: 25_000 }

/** A queue that stood for so long times so much is the link's and not a stall's, ms · s. */
const mostPressure = 20
/** The rest of a queue that does not go after an answer is answered again after so long, ms, and so often. */
const mostRestMs = 600
const mostAgain = 3
/** Of what a burst showed, so much is believed: beside it there is other traffic. */
const burstShare = 0.85
/** Growth in one step where a burst has shown room for it. */
const mostGrowth = 16
/** Above the one the rate falls, below the other it may rise by itself (draft-ietf-rmcat-gcc-02 §6). */
const highLoss = 0.1
const lowLoss = 0.02
/** Loss takes back what was allowed beyond so many times what passes, and leaves so much of what passes. */
const lossRoom = 1.5
const lossShare = 0.85
/** Receiver reports stand for transport-wide feedback so often at most, ms. */
const leastReportMs = 200

/**
 * What a link bears, by Google Congestion Control (draft-ietf-rmcat-gcc-02) from transport-wide feedback. Two things differ,
 * because cameras send what they send and do not follow the estimate: overuse counts only where a queue stands that no
 * stall of either end explains (queue-delay.ts), and the bursts of which pictures consist serve as probes (burst-rate.ts).
 * All work is done per feedback; a packet sent costs a few writes into arrays.
 */
export class LinkEstimate {
  /** The link is tried by what is sent for a probe. */
  readonly probes = new Probes()
  readonly #limits: LinkLimits
  readonly #log = new SentLog()
  readonly #clock = new ArrivalClock()
  readonly #groups = new PacketGroups()
  readonly #trend = new TrendLine()
  readonly #detector = new OveruseDetector()
  readonly #queue = new QueueDelay()
  readonly #acknowledged = new AcknowledgedRate()
  readonly #bursts = new BurstRate()
  readonly #control = new RateControl()
  readonly #losses = new LossShare()
  #rate: number
  #probing = true
  /** A burst has told of the link. */
  #known = false
  /** When the rate was last taken back. */
  #answeredMs = Number.NEGATIVE_INFINITY
  /** The detector has told of overuse since the queue began to stand. */
  #overused = false
  /** Answers to the rest of one queue. */
  #again = 0
  #responseMs = 200
  #reportedMs = Number.NEGATIVE_INFINITY

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

  /** The queue that stands on the link, ms. */
  get queueMs(): number {
    return this.#queue.standingMs
  }

  /** No queue stands on the link. */
  get free(): boolean {
    return this.queueMs <= shortQueueMs
  }

  /** Share of the packets that is lost on the way, repetitions apart, 0…1. */
  get lossShare(): number {
    return this.#losses.share
  }

  /** What arrived lately, bytes per ms; undefined while nothing is known. */
  get acknowledged(): number | undefined {
    return this.#acknowledged.rate
  }

  /** @param sequence transport-wide, uint16 @param bytes on the wire */
  sent(sequence: number, bytes: number, nowMs: number): void {
    this.#log.sent(sequence, bytes, nowMs, this.probes.sent(bytes))
  }

  /** The same packet was sent once more under its number. */
  sentAgain(sequence: number): void {
    this.#log.sentAgain(sequence)
  }

  /** Takes what the receiver tells. Nonsense does no more than spoil the estimate of that receiver's own link. */
  feedback(feedback: TransportFeedback, nowMs: number): void {
    let received = 0
    let lost = 0
    for (const { sequence, atUs } of feedback.arrivals) {
      const slot = this.#log.slot(sequence)
      if (slot < 0) continue
      const before = this.#log.fates[slot]
      if (atUs === undefined) {
        if (before !== fate.underWay) continue
        this.#log.fates[slot] = fate.lost
        // What was lost before the last answer is answered.
        if (this.#log.sentMs[slot]! >= this.#answeredMs) lost++
        continue
      }
      if (before === fate.arrived) continue
      this.#log.fates[slot] = fate.arrived
      if (before === fate.repeated) continue
      if (before === fate.lost && this.#log.sentMs[slot]! >= this.#answeredMs) lost--
      received++
      this.#arrived(slot, atUs, before === fate.lost, nowMs)
    }
    if (received + lost <= 0) return
    if (this.#losses.told(received, Math.max(0, lost), nowMs)) this.#lossy(this.#losses.share, nowMs)
    this.#decide(received, Math.max(0, lost), nowMs)
  }

  /** @param late told as lost before: its place among the others is past */
  #arrived(slot: number, atUs: number, late: boolean, nowMs: number): void {
    const sentMs = this.#log.sentMs[slot]!
    const bytes = this.#log.bytes[slot]!
    const atMs = this.#clock.ms(atUs, sentMs)
    if (this.#clock.leapt) this.#forget()
    this.#acknowledged.packet(bytes, atMs)
    if (late) return
    this.#responseMs += (Math.max(0, nowMs - sentMs) - this.#responseMs) / 64
    const delayMs = atMs - sentMs
    this.#queue.packet(delayMs, atMs)
    this.#bursts.packet(sentMs, atMs, bytes, delayMs - this.#queue.baseMs!)
    this.probes.arrived(this.#log.probes[slot]!, sentMs, atMs, bytes)
    if (!this.#groups.packet(sentMs, atMs)) return
    const { sentDeltaMs, arrivalDeltaMs } = this.#groups
    const trend = this.#trend.update(sentDeltaMs, arrivalDeltaMs, atMs)
    if (this.#detector.update(trend, sentDeltaMs, atMs) === 'overuse') this.#overused = true
  }

  /** The receiver's clock is another one: what was learnt of delays is void. */
  #forget(): void {
    this.#groups.reset()
    this.#trend.reset()
    this.#queue.reset()
    this.#acknowledged.reset()
    this.#bursts.reset()
    this.#overused = false
  }

  #lossy(share: number, nowMs: number): void {
    if (share <= highLoss) return
    this.#probing = false
    this.#answeredMs = nowMs
    const passes = this.#acknowledged.rate ?? this.#rate
    const allowed = Math.min(this.#rate, passes * lossRoom) * (1 - share / 2)
    this.#set(Math.min(this.#rate, Math.max(allowed, passes * lossShare)))
  }

  #decide(received: number, lost: number, nowMs: number): void {
    const acknowledged = this.#acknowledged.rate
    const burst = this.#bursts.take()
    const probed = this.probes.take(nowMs)
    if (probed?.full) this.#probing = false
    if (this.free) this.#again = 0
    if (this.free && this.#detector.usage !== 'overuse') this.#overused = false
    // A queue that overflows is no stall either, however short it stands.
    const overflows = !this.free && lost > received / 3 && received + lost >= 10
    const grows = this.#overused && this.#queue.pressure >= mostPressure
    const stays = this.#queue.restMs >= mostRestMs && this.#again < mostAgain
    if (grows || stays || overflows) {
      if (stays) this.#again++
      this.#probing = false
      this.#answeredMs = nowMs
      this.#set(this.#control.decrease(this.#rate, acknowledged, nowMs))
      this.#queue.answered()
      this.#overused = false
      return
    }
    if (burst.most > 0 && burst.most < this.#rate * 2) this.#probing = false
    // At the beginning nobody knows the link: the first burst tells before a queue does.
    if (!this.#known && burst.stretches > 1) this.#set(Math.min(this.#rate, burst.most))
    this.#known ||= burst.stretches > 1
    if (!this.free || this.#detector.usage !== 'normal') {
      this.#control.hold(nowMs)
      return
    }
    if (this.#probing && acknowledged !== undefined) {
      this.#set(Math.max(this.#rate, Math.min(this.#rate * 2, acknowledged * 2)))
    } else if (this.#losses.share < lowLoss) {
      this.#set(this.#control.increase(this.#rate, acknowledged, this.#responseMs, nowMs))
    } else this.#control.hold(nowMs)
    const felt = Math.max(burst.rate * burstShare, probed?.rate ?? 0)
    if (felt > this.#rate) this.#set(Math.min(felt, this.#rate * mostGrowth))
  }

  /** A receiver without transport-wide feedback: receiver reports alone (about one a second). */
  report(block: ReportBlock, nowMs: number): void {
    if (nowMs - this.#reportedMs < leastReportMs) return
    this.#reportedMs = nowMs
    const loss = block.fractionLost / 256
    if (loss > highLoss) {
      this.#probing = false
      this.#set(this.#rate * (1 - loss / 2))
    } else if (loss < lowLoss) this.#set(this.#probing ? this.#rate * 2 : this.#rate * 1.08)
  }

  #set(rate: number): void {
    this.#rate = Math.max(this.#limits.least, Math.min(this.#limits.most, rate))
  }
}
