import { datagramOverhead, LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { LinkLayers } from '@porchlight/proto/media/congestion/link-layers.ts'
import type { ReportBlock } from '@porchlight/proto/media/rtcp.ts'
import type { TransportFeedback } from '@porchlight/proto/media/transport-cc.ts'

/** What the uplink bears at least and at most, bit/s. */
const leastRate = 40_000
const mostRate = 100_000_000

export interface UplinkOptions {
  /** bit/s, before anything is known. */
  startRate: number
  /** Whether a small layer flows that can go alone. */
  layered: () => boolean
  /** ms, monotone. */
  now: () => number
}

/**
 * What the way to the gateway bears, by the gateway's feedback; and whether the main layer goes over it. Rates are bit/s.
 */
export class Uplink {
  readonly #options: UplinkOptions
  readonly #estimate: LinkEstimate
  readonly #layers: LinkLayers
  #feedbackHeard = false

  constructor(options: UplinkOptions) {
    this.#options = options
    this.#estimate = new LinkEstimate({
      initial: options.startRate / 8_000,
      least: leastRate / 8_000,
      most: mostRate / 8_000,
    })
    this.#layers = new LinkLayers(this.#estimate)
  }

  /** What is believed to pass. */
  get rate(): number {
    return this.#estimate.rate * 8_000
  }

  /** Nothing has yet shown where the uplink ends. */
  get probing(): boolean {
    return this.#estimate.probing
  }

  /** The main layer goes over it. */
  get main(): boolean {
    return this.#layers.layer === 'main' || !this.#options.layered()
  }

  /** A packet leaves. @param number transport-wide @param bytes of RTP */
  left(number: number, bytes: number): void {
    this.#estimate.sent(number, bytes + datagramOverhead, this.#options.now())
  }

  /** A packet leaves once more under its number. */
  leftAgain(number: number): void {
    this.#estimate.sentAgain(number)
  }

  /** The gateway told of arrivals. @param wanted what all that is live takes, bit/s; 0: not known yet */
  feedback(feedback: TransportFeedback, wanted: number): void {
    this.#feedbackHeard = true
    this.#estimate.feedback(feedback, this.#options.now())
    this.#decide(wanted / 8_000)
  }

  /** A receiver report, which counts where there is no transport-wide feedback. */
  reported(block: ReportBlock, wanted: number): void {
    if (this.#feedbackHeard) return
    this.#estimate.report(block, this.#options.now())
    this.#decide(wanted / 8_000)
  }

  /** Time passes in which nothing may be heard of the uplink. */
  tick(wanted: number): void {
    if (this.#layers.short) this.#decide(wanted / 8_000)
  }

  /** Padding is being sent. */
  get probeLeaves(): boolean {
    return this.#estimate.probes.leaves
  }

  /** Bytes of padding to be sent now, to try the uplink. */
  paddingDue(): number {
    return this.#estimate.probes.due(this.#options.now())
  }

  #decide(wanted: number): void {
    if (!this.#options.layered()) return
    const nowMs = this.#options.now()
    this.#layers.decide(wanted, nowMs)
    this.#layers.tryForMain(wanted, nowMs)
  }
}
