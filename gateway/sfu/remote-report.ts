import type { ReportBlock } from '@porchlight/proto/media/rtcp.ts'
import { middleNtp } from '@porchlight/proto/media/rtp.ts'

/** Sender reports remembered, for the receiver reports that answer them: one a second. */
const remembered = 8

/** What a receiver says of one line that we send (RFC 3550 §6.4.1). Everything is undefined before its first report. */
export class RemoteReport {
  /** Middle 32 bits of the NTP time of each sender report, and when it left. */
  readonly #sent = new Map<number, number>()
  #lost: number | undefined
  #lossRatio: number | undefined
  #jitterMs: number | undefined
  #rttMs: number | undefined

  /** Packets lost in all. */
  get lost(): number | undefined {
    return this.#lost
  }

  /** Share lost between its last two reports, 0…1. */
  get lossRatio(): number | undefined {
    return this.#lossRatio
  }

  get jitterMs(): number | undefined {
    return this.#jitterMs
  }

  /** From the last report that answered one of ours. */
  get rttMs(): number | undefined {
    return this.#rttMs
  }

  /** A sender report left. @param ntp UQ32.32, on whatever clock */
  sent(ntp: bigint, nowMs: number): void {
    this.#sent.set(middleNtp(ntp), nowMs)
    if (this.#sent.size > remembered) this.#sent.delete(this.#sent.keys().next().value!)
  }

  /** @param clockRate of the line, ticks per second */
  heard(block: ReportBlock, clockRate: number, nowMs: number): void {
    this.#lost = block.packetsLost
    this.#lossRatio = block.fractionLost / 256
    this.#jitterMs = (block.jitter / clockRate) * 1000
    const sentMs = this.#sent.get(block.lastSr)
    if (sentMs === undefined) return
    // A clock that ran a little fast over there must not make the path shorter than nothing.
    this.#rttMs = Math.max(0, nowMs - sentMs - (block.delaySinceLastSr / 65_536) * 1000)
  }
}
