import { randomInt } from 'node:crypto'
import { isRtcp, parseRtp, writeRtp } from '@porchlight/proto/media/rtp.ts'

/** What the device wants of talk: its `t` line. */
export interface TalkFormat {
  codec: 'opus' | 'pcmu' | 'pcma'
  payloadType: number
  clockRate: number
  /** Our source, as announced in the answer. */
  ssrc: number
}

/** A pause longer than this begins a new spurt: the device may start its play-out anew (marker, RFC 3551 §4.1). */
const spurtGapMs = 300

/**
 * Talk towards the device: packets of whoever holds the floor, as one stream with one SSRC, one row of numbers and one
 * time line, however often the speakers change.
 */
export class TalkLine {
  readonly format: TalkFormat
  readonly #send: (bytes: Uint8Array) => void
  /** Announced in our answer. */
  readonly ssrc: number
  #sequence = randomInt(0, 0x10000)
  #speaker: string | undefined
  #lastIn: { sequence: number; timestamp: number } | undefined
  #timestamp = randomInt(0, 2 ** 31)
  #lastMs = Number.NEGATIVE_INFINITY
  #packets = 0

  constructor(format: TalkFormat, send: (bytes: Uint8Array) => void) {
    this.ssrc = format.ssrc
    this.format = format
    this.#send = send
  }

  /** Packets sent to the device. */
  get packets(): number {
    return this.#packets
  }

  /**
   * Forwards one packet of the holder of the floor.
   * @param payloadType what the speaker's session negotiated for the talk codec
   */
  speak(session: string, payloadType: number, bytes: Uint8Array, nowMs: number): void {
    if (isRtcp(bytes)) return
    const rtp = parseRtp(bytes)
    if (!rtp || rtp.payloadType !== payloadType || rtp.payload.length === 0) return
    const last = this.#lastIn
    const fresh = session !== this.#speaker || last === undefined
    const step = fresh ? 1 : (rtp.sequence - last.sequence) & 0xffff
    // Duplicates and late ones are not worth a jump back in a spoken word.
    if (step === 0 || step > 0x7fff) return
    const pause = nowMs - this.#lastMs > spurtGapMs
    const ticks = fresh ? this.#silence(nowMs) : (rtp.timestamp - last.timestamp) >>> 0
    this.#speaker = session
    this.#lastIn = { sequence: rtp.sequence, timestamp: rtp.timestamp }
    this.#lastMs = nowMs
    this.#sequence = (this.#sequence + Math.min(step, 100)) & 0xffff
    this.#timestamp = (this.#timestamp + ticks) >>> 0
    this.#packets++
    this.#send(
      writeRtp({
        marker: fresh || pause,
        payloadType: this.format.payloadType,
        sequence: this.#sequence,
        timestamp: this.#timestamp,
        ssrc: this.ssrc,
        extensions: [],
        payload: rtp.payload,
      }),
    )
  }

  /** Between two speakers as many ticks pass as time did. */
  #silence(nowMs: number): number {
    const ms = Number.isFinite(this.#lastMs) ? nowMs - this.#lastMs : 0
    return Math.max(1, Math.round((Math.min(ms, 3_600_000) / 1000) * this.format.clockRate))
  }
}
