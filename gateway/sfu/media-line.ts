import { isReference } from '@porchlight/proto/media/h264.ts'
import { keyframeStart } from '@porchlight/proto/media/keyframe.ts'
import { parseRtp, type RtpPacket } from '@porchlight/proto/media/rtp.ts'
import { readAbsCaptureTime, readFrameNumber } from '@porchlight/proto/media/rtp-extensions.ts'
import type { AudioCodec, VideoCodec } from '@porchlight/proto/messages/cameras.ts'
import { FrameNumbering } from './frame-numbering.ts'
import { defaultGopLimits, GopCache, type GopLimits } from './gop-cache.ts'
import { LineClock } from './line-clock.ts'
import { LossList } from './loss-list.ts'
import { type MediaPacket, makeWire } from './packet-ring.ts'
import { PacketRun } from './packet-run.ts'
import { ReceiveReport } from './receive-report.ts'
import { SourceLine } from './source-line.ts'

/** What was negotiated for one line of a producer. */
export interface LineFormat {
  kind: 'video' | 'audio'
  codec: VideoCodec | Exclude<AudioCodec, 'aac'>
  payloadType: number
  clockRate: number
  channels: number
  /** Format parameters as negotiated (`profile-level-id=…`). */
  fmtp: string
  /** Header extension ids as negotiated; undefined: not sent. */
  frameNumberId: number | undefined
  captureTimeId: number | undefined
  transportCcId: number | undefined
}

export interface LineListener {
  /** Packets that had not come before; in order of arrival, which may not be the order of numbers. */
  packets(packets: readonly MediaPacket[]): void
}

/** Sound has no keyframes: that of the longest group of pictures is kept, for readers who begin with the group. */
const audioLimits: GopLimits = { ...defaultGopLimits, historyMs: defaultGopLimits.gopMs, packets: 1_024 }

/** A sender report is believed where it says that the newest packet was captured no longer ago than this, ms … */
const mostDelayMs = 3_000
/** … and no further ahead of our clock than this, ms. */
const mostAheadMs = 1_000

/** One line (picture or sound) of a producer: packets in, kept, timed, missed, and told to those who listen. */
export class MediaLine {
  readonly format: LineFormat
  readonly cache: GopCache
  readonly clock: LineClock
  readonly losses = new LossList()
  readonly report: ReceiveReport
  readonly #source: SourceLine
  readonly #numbering: FrameNumbering | undefined
  /** The next packet to number. */
  #unnumbered: number | undefined
  /** Packets lost for good since the last one numbered. */
  #gone = 0
  readonly #listeners = new Set<LineListener>()
  readonly #run = new PacketRun((packets) => {
    for (const listener of this.#listeners) listener.packets(packets)
  })
  readonly #wallNow: () => number
  #ssrc: number | undefined
  #keyTimestamp: number | undefined
  #reordered = false
  #highestTimestamp = 0
  #recentBytes = 0
  #bytesPerMs = 0
  #rateSinceMs = 0
  #refused = 0
  #transportSequence: ((sequence: number, nowMs: number) => void) | undefined

  /** @param wallNow ms since the Unix epoch */
  constructor(format: LineFormat, wallNow: () => number) {
    this.format = format
    this.#wallNow = wallNow
    this.cache = new GopCache(format.clockRate, format.kind === 'video' ? defaultGopLimits : audioLimits)
    this.#source = new SourceLine(format.clockRate)
    this.clock = new LineClock(format.clockRate, wallNow)
    this.report = new ReceiveReport(format.clockRate)
    if (format.kind === 'video' && format.frameNumberId === undefined) this.#numbering = new FrameNumbering()
  }

  /** The source's SSRC, once a packet has come. */
  get ssrc(): number | undefined {
    return this.#ssrc
  }

  /** Whether pictures come in another order than they are shown: viewers then go without those nobody refers to. */
  get reordered(): boolean {
    return this.#reordered
  }

  /** Mean rate of the last seconds, bytes per ms. */
  get bytesPerMs(): number {
    return this.#bytesPerMs
  }

  /** Packets that were malformed, of another payload type or source, or astray. */
  get refused(): number {
    return this.#refused
  }

  listen(listener: LineListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Those who listen get what is held back for the rest of a picture. */
  flush(): void {
    this.#run.flush()
  }

  /** Where transport-wide sequence numbers go. */
  onTransportSequence(callback: (sequence: number, nowMs: number) => void): void {
    this.#transportSequence = callback
  }

  /**
   * Takes one RTP packet.
   * @returns `keyframe` where more is lost than can be asked for, so that a new keyframe is needed
   */
  receive(bytes: Uint8Array, nowMs: number): 'taken' | 'refused' | 'keyframe' {
    const rtp = parseRtp(bytes)
    if (!rtp || rtp.payloadType !== this.format.payloadType) {
      this.#refused++
      return 'refused'
    }
    const { transportCcId, captureTimeId } = this.format
    if (transportCcId !== undefined && this.#transportSequence) {
      const data = rtp.extensions.find((extension) => extension.id === transportCcId)?.data
      if (data?.length === 2) this.#transportSequence((data[0]! << 8) | data[1]!, nowMs)
    }
    this.#ssrc ??= rtp.ssrc
    if (rtp.ssrc !== this.#ssrc) {
      this.#refused++
      return 'refused'
    }
    const place = this.#source.place(rtp.sequence, rtp.timestamp, nowMs)
    if (!place) {
      this.#refused++
      return 'refused'
    }
    const { ext, timestamp } = place
    const late = this.losses.isMissing(ext)
    const mendable = this.losses.arrived(ext, nowMs)
    const packet: MediaPacket = {
      ext,
      timestamp,
      marker: rtp.marker,
      keyframe: this.#beginsKeyframe(rtp.payload, timestamp),
      droppable: this.format.codec === 'h264' && !isReferencePayload(rtp.payload),
      frame: this.#frameNumber(rtp, ext),
      captureMs: captureTimeId === undefined ? undefined : readAbsCaptureTime(rtp.extensions, captureTimeId),
      arrivalMs: nowMs,
      ...makeWire(rtp.payload),
    }
    if (!this.cache.put(packet)) return 'taken'
    if (this.#numbering) this.#number(this.#numbering)
    this.report.arrived(ext, timestamp, nowMs)
    if (!late) this.clock.arrived(timestamp, nowMs)
    if (packet.captureMs !== undefined) this.clock.captured(timestamp, packet.captureMs)
    this.#measure(packet)
    this.#run.add(packet, late || packet.marker || this.format.kind === 'audio')
    return mendable ? 'taken' : 'keyframe'
  }

  /** A sender report of the source: ties its RTP time to its NTP time, where packets do not carry capture times. */
  senderReport(ntp: bigint, captureMs: number, rtp: number, nowMs: number): void {
    this.report.senderReport(ntp, nowMs)
    const newest = this.cache.ring.get(this.cache.ring.head)
    if (this.#ssrc === undefined || !newest || this.format.captureTimeId !== undefined) return
    const saidMs = captureMs - ((this.#source.timeOf(rtp) - newest.timestamp) / this.format.clockRate) * 1000
    const wallMs = this.#wallNow()
    // Some senders' clocks are wrong, some reports run away from their packets (GStreamer 1.22): then arrival counts.
    const believable = saidMs > wallMs - mostDelayMs && saidMs < wallMs + mostAheadMs
    this.clock.captured(newest.timestamp, believable ? saidMs : wallMs)
  }

  #frameNumber(rtp: RtpPacket, ext: number): number | undefined {
    const { frameNumberId, kind } = this.format
    if (frameNumberId !== undefined) return readFrameNumber(rtp.extensions, frameNumberId)
    return kind === 'audio' ? ext : undefined
  }

  /** Numbers the packets that are in order by now: in front of them nothing is missing that may still come. */
  #number(numbering: FrameNumbering): void {
    const { ring } = this.cache
    let at = this.#unnumbered ?? ring.oldest
    for (; at <= ring.head && !this.losses.isMissing(at); at++) {
      const packet = ring.get(at)
      if (packet === undefined) this.#gone++
      else if (packet.payload.length > 0) {
        packet.frame = numbering.number(packet, this.#gone)
        this.#gone = 0
      }
    }
    this.#unnumbered = at
  }

  #beginsKeyframe(payload: Uint8Array, timestamp: number): boolean {
    if (this.format.kind === 'audio' || !keyframeStart(this.format.codec as VideoCodec, payload)) return false
    // Parameter sets and the picture's slices each look like a beginning: the first of a timestamp counts.
    if (this.#keyTimestamp === timestamp) return false
    this.#keyTimestamp = timestamp
    return true
  }

  #measure(packet: MediaPacket): void {
    if (packet.timestamp < this.#highestTimestamp && packet.ext === this.cache.ring.head) this.#reordered = true
    if (packet.timestamp > this.#highestTimestamp) this.#highestTimestamp = packet.timestamp
    this.#recentBytes += packet.payload.length
    if (this.#rateSinceMs === 0) this.#rateSinceMs = packet.arrivalMs
    const span = packet.arrivalMs - this.#rateSinceMs
    if (span < 1_000) return
    const rate = this.#recentBytes / span
    this.#bytesPerMs = this.#bytesPerMs === 0 ? rate : this.#bytesPerMs + (rate - this.#bytesPerMs) / 3
    this.#recentBytes = 0
    this.#rateSinceMs = packet.arrivalMs
  }
}

/** nal_ref_idc of what the payload carries; STAP-A and FU-A keep the highest of theirs in their own header (RFC 6184 §5.3). */
function isReferencePayload(payload: Uint8Array): boolean {
  const type = (payload[0] ?? 0) & 0x1f
  // SEI, delimiters and padding have nal_ref_idc 0 without being pictures.
  if ((type >= 6 && type !== 28 && type !== 29) || type === 0) return true
  return isReference(payload)
}
