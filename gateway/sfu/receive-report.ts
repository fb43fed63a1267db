import type { ReportBlock } from '@porchlight/proto/media/rtcp.ts'
import { middleNtp } from '@porchlight/proto/media/rtp.ts'

/** Keeps what a receiver report says of one source (RFC 3550 §6.4.1, appendix A.3 and A.8). */
export class ReceiveReport {
  readonly #clockRate: number
  #first: number | undefined
  #highest = 0
  #received = 0
  #expectedBefore = 0
  #receivedBefore = 0
  #jitter = 0
  #lossRatio: number | undefined
  #transit: number | undefined
  #lastSr = 0
  #lastSrAtMs = 0

  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /** @param ext unwrapped sequence number @param timestamp unwrapped ticks */
  arrived(ext: number, timestamp: number, nowMs: number): void {
    this.#first ??= ext
    if (ext > this.#highest) this.#highest = ext
    this.#received++
    const transit = (nowMs / 1000) * this.#clockRate - timestamp
    if (this.#transit !== undefined) this.#jitter += (Math.abs(transit - this.#transit) - this.#jitter) / 16
    this.#transit = transit
  }

  /** @param ntp UQ32.32 of a sender report */
  senderReport(ntp: bigint, nowMs: number): void {
    this.#lastSr = middleNtp(ntp)
    this.#lastSrAtMs = nowMs
  }

  get received(): number {
    return this.#received
  }

  /** Packets that did not come, so far; undefined before the first that did. */
  get lost(): number | undefined {
    return this.#first === undefined ? undefined : this.#highest - this.#first + 1 - this.#received
  }

  /** Share lost between the last two reports, 0…1; undefined before the first report. */
  get lossRatio(): number | undefined {
    return this.#lossRatio
  }

  /** Interarrival jitter, ms; undefined before the first packet. */
  get jitterMs(): number | undefined {
    return this.#first === undefined ? undefined : (this.#jitter / this.#clockRate) * 1000
  }

  /** The block for the next report; undefined before the first packet. Counts from report to report. */
  take(ssrc: number, nowMs: number): ReportBlock | undefined {
    if (this.#first === undefined) return undefined
    const expected = this.#highest - this.#first + 1
    const expectedNow = expected - this.#expectedBefore
    const lostNow = expectedNow - (this.#received - this.#receivedBefore)
    this.#expectedBefore = expected
    this.#receivedBefore = this.#received
    this.#lossRatio = expectedNow > 0 && lostNow > 0 ? lostNow / expectedNow : 0
    return {
      ssrc,
      fractionLost: Math.min(255, Math.floor(this.#lossRatio * 256)),
      packetsLost: Math.max(-0x800000, Math.min(0x7fffff, expected - this.#received)),
      highestSequence: this.#highest % 2 ** 32,
      jitter: Math.min(0xffffffff, Math.floor(this.#jitter)),
      lastSr: this.#lastSr,
      delaySinceLastSr: this.#lastSr === 0 ? 0 : Math.floor(((nowMs - this.#lastSrAtMs) * 65536) / 1000) % 2 ** 32,
    }
  }
}
