import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { packetizeVideo } from '@porchlight/proto/media/packetizer.ts'
import type { ReportBlock, RtcpPacket } from '@porchlight/proto/media/rtcp.ts'
import { markPadded, mostPadding, ntpFromMs, readUint32, writeRtp } from '@porchlight/proto/media/rtp.ts'
import {
  absCaptureTimeId,
  frameNumberId,
  maxRtpBytes,
  transportCcId,
  writeAbsCaptureTime,
  writeFrameNumber,
} from '@porchlight/proto/media/rtp-extensions.ts'
import { SentPackets } from './sent-packets.ts'

/** Fixed header, extension header, and the three extensions of a frame's first packet padded to words. */
const headerBytes = 12 + 4 + 20
const maxPayload = maxRtpBytes - headerBytes
/** Where the transport-wide number stands: it is the first extension. */
const transportNumberAt = 12 + 4 + 1
/** Sound that deviates less from its sample count goes on without a step in its timestamps. */
const soundSlackMs = 20
/** A repetition is not repeated sooner than this, ms. */
const minRepeatGapMs = 15

export interface SendStreamOptions {
  ssrc: number
  payloadType: number
  /** Ticks per second of the RTP clock. */
  clockRate: number
  /** Packets kept for NACKs, a power of two. */
  kept: number
  /** [0, 1): beginnings of sequence numbers and timestamps (RFC 3550 §5.1). */
  random: () => number
}

/** What the receiver last said of a stream. */
export interface StreamReport {
  fractionLost: number
  packetsLost: number
  jitterMs: number
}

/** One outgoing RTP stream: frames become packets, packets are kept for NACKs and counted for sender reports. */
export class SendStream {
  readonly ssrc: number
  readonly #options: SendStreamOptions
  readonly #sent: SentPackets
  readonly #timestampOffset: number
  #sequence: number
  /** What left last. */
  #newest: Uint8Array | undefined
  #last: { captureMs: number; timestamp: number; samples: number } | undefined
  #packets = 0
  #octets = 0
  #repeated = 0
  report: StreamReport | undefined

  constructor(options: SendStreamOptions) {
    this.#options = options
    this.ssrc = options.ssrc
    this.#sent = new SentPackets(options.kept)
    this.#sequence = Math.floor(options.random() * 0x8000)
    this.#timestampOffset = Math.floor(options.random() * 2 ** 32)
  }

  /** Packets sent again so far. */
  get repeated(): number {
    return this.#repeated
  }

  /** Packets of one picture, in order. */
  video(unit: AccessUnit): Uint8Array[] {
    const timestamp = this.#ticks(unit.captureMs)
    this.#last = { captureMs: unit.captureMs, timestamp, samples: 0 }
    const payloads = packetizeVideo(unit, maxPayload)
    return payloads.map((payload, index) =>
      this.#packet(
        payload,
        timestamp,
        index === payloads.length - 1,
        unit.frame,
        index === 0 ? unit.captureMs : undefined,
      ),
    )
  }

  /**
   * A packet of nothing but padding (RFC 3550 §5.1), with which the uplink is tried; undefined before the first packet left.
   * It has the time of the packet before it, and no frame number, so that nobody takes it for a picture.
   */
  padding(): Uint8Array | undefined {
    const { ssrc, payloadType } = this.#options
    if (this.#newest === undefined) return undefined
    const payload = new Uint8Array(mostPadding)
    payload[mostPadding - 1] = mostPadding
    const extensions = [{ id: transportCcId, data: new Uint8Array(2) }]
    const timestamp = readUint32(this.#newest, 4)
    const packet = writeRtp({ marker: false, payloadType, sequence: 0, timestamp, ssrc, extensions, payload })
    markPadded(packet)
    return packet
  }

  /** The packet of one frame of sound. The marker begins a talk spurt (RFC 3551 §4.1). */
  audio(frame: AudioFrame): Uint8Array {
    const exact = this.#ticks(frame.captureMs)
    const last = this.#last
    const expected = last === undefined ? exact : (last.timestamp + last.samples) >>> 0
    const off = (exact - expected) | 0
    const joins = last !== undefined && Math.abs(off) * 1000 <= soundSlackMs * this.#options.clockRate
    const timestamp = joins ? expected : exact
    this.#last = { captureMs: frame.captureMs, timestamp, samples: frame.samples }
    return this.#packet(frame.data, timestamp, !joins, frame.frame, frame.captureMs)
  }

  /** To be called when a packet leaves: gives it both its numbers and keeps it. */
  leaves(packet: Uint8Array, transportNumber: number, now: number): void {
    packet[transportNumberAt] = transportNumber >> 8
    packet[transportNumberAt + 1] = transportNumber
    // Numbered only now: what the pacer gave up must not look like loss.
    const sequence = this.#sequence
    this.#sequence = (sequence + 1) & 0xffff
    packet[2] = sequence >> 8
    packet[3] = sequence
    this.#sent.add(sequence, packet, now)
    this.#newest = packet
    this.#packets++
    this.#octets += packet.length - 12
  }

  /**
   * Packets asked for by a NACK that can be sent again, byte by byte as they were: two packets of one SSRC and number that
   * differ, if only in the transport-wide number, would be two texts under one nonce (RFC 7714 §8.1).
   */
  repeats(lost: readonly number[], now: number): Uint8Array[] {
    const packets: Uint8Array[] = []
    for (const sequence of lost) {
      const packet = this.#sent.again(sequence, now, minRepeatGapMs)
      if (packet) packets.push(packet)
    }
    this.#repeated += packets.length
    return packets
  }

  /** To be called when a packet leaves that left before. @returns the transport-wide number that it has */
  leavesAgain(packet: Uint8Array): number {
    this.#packets++
    this.#octets += packet.length - 12
    return (packet[transportNumberAt]! << 8) | packet[transportNumberAt + 1]!
  }

  /** Takes a report block that names this stream. */
  reported(block: ReportBlock): void {
    const jitterMs = (block.jitter * 1000) / this.#options.clockRate
    this.report = { fractionLost: block.fractionLost / 256, packetsLost: block.packetsLost, jitterMs }
  }

  /** Sender report (RFC 3550 §6.4.1): both clocks at `now`; undefined before the first frame. */
  senderReport(now: number): RtcpPacket | undefined {
    const last = this.#last
    if (last === undefined) return undefined
    const ticks = Math.round(((now - last.captureMs) * this.#options.clockRate) / 1000)
    return {
      type: 'sr',
      ssrc: this.ssrc,
      ntp: ntpFromMs(now),
      rtp: (last.timestamp + ticks) >>> 0,
      packets: this.#packets >>> 0,
      octets: this.#octets >>> 0,
      reports: [],
    }
  }

  close(): void {
    this.#sent.clear()
  }

  /** RTP timestamp of a capture time. */
  #ticks(captureMs: number): number {
    return (Math.round((captureMs * this.#options.clockRate) / 1000) + this.#timestampOffset) % 2 ** 32
  }

  #packet(payload: Uint8Array, timestamp: number, marker: boolean, frame: number, captureMs?: number): Uint8Array {
    const extensions = [
      { id: transportCcId, data: new Uint8Array(2) },
      { id: frameNumberId, data: writeFrameNumber(frame) },
    ]
    if (captureMs !== undefined) extensions.push({ id: absCaptureTimeId, data: writeAbsCaptureTime(captureMs) })
    const { ssrc, payloadType } = this.#options
    return writeRtp({ marker, payloadType, sequence: 0, timestamp, ssrc, extensions, payload })
  }
}
