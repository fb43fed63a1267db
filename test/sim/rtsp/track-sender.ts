import { randomBytes } from 'node:crypto'
import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { ntpFromMs, writeRtp } from '@porchlight/proto/media/rtp.ts'
import type { Knobs } from '../knobs.ts'
import { type MediaBlock, type MediaClock, preciseNow } from '../media-loop.ts'
import type { Transport } from './transports.ts'

const reportMs = 2000

/** Sends one track to one client: numbers, timestamps and sender reports of its own, begun at random (RFC 3550 §5.1). */
export class TrackSender {
  readonly ssrc = randomBytes(4).readUInt32BE()
  readonly transport: Transport
  readonly #payloadType: number
  readonly #clockRate: number
  readonly #clock: MediaClock
  readonly #knobs: Knobs
  readonly #timestampBase = randomBytes(4).readUInt32BE()
  #sequence = randomBytes(2).readUInt16BE()
  #packets = 0
  #octets = 0
  #lastReport = Number.NEGATIVE_INFINITY

  constructor(transport: Transport, payloadType: number, clockRate: number, clock: MediaClock, knobs: Knobs) {
    this.transport = transport
    this.#payloadType = payloadType
    this.#clockRate = clockRate
    this.#clock = clock
    this.#knobs = knobs
  }

  /** For `RTP-Info`: what the next packet carries. */
  get next(): { sequence: number; timestamp: number } {
    return { sequence: this.#sequence, timestamp: this.#timestamp(this.#clock.seconds) }
  }

  send({ payloads, seconds }: MediaBlock, markLast: boolean): void {
    if (this.#knobs.hang || this.#knobs.mute) return
    for (const [index, payload] of payloads.entries()) {
      this.transport.rtp(
        writeRtp({
          marker: markLast && index === payloads.length - 1,
          payloadType: this.#payloadType,
          sequence: this.#sequence,
          timestamp: this.#timestamp(seconds),
          ssrc: this.ssrc,
          extensions: [],
          payload,
        }),
      )
      this.#sequence = (this.#sequence + 1) & 0xffff
      this.#packets += 1
      this.#octets += payload.length
    }
    if (this.#knobs.senderReports && preciseNow() - this.#lastReport >= reportMs) this.#report()
  }

  #timestamp(seconds: number): number {
    return (this.#timestampBase + Math.round(seconds * this.#clockRate)) % 2 ** 32
  }

  #report(): void {
    this.#lastReport = preciseNow()
    const report = {
      type: 'sr' as const,
      ssrc: this.ssrc,
      ntp: ntpFromMs(this.#lastReport + this.#knobs.clockOffsetMs),
      rtp: this.#timestamp(this.#clock.seconds),
      packets: this.#packets,
      octets: this.#octets >>> 0,
      reports: [],
    }
    this.transport.rtcp(writeRtcp([report, { type: 'sdes', chunks: [{ ssrc: this.ssrc, cname: 'porch' }] }]))
  }
}
