import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { parseRtcp, type ReportBlock, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import type { LineCodec } from './engine.ts'
import { mids } from './offer-lines.ts'
import { Pacer, priority } from './pacer.ts'
import { SendStream, type StreamReport } from './send-stream.ts'

/** Defaults and bounds; rates in bit/s, sizes in bytes, times in ms. */
export const mediaDefaults = {
  /** What the group of pictures at the start, and every picture, leaves at. */
  startRate: 20_000_000,
  /** Loss takes the rate down to here, not further. */
  minRate: 2_000_000,
  burstBytes: 16_000,
  /** More than this waiting means that the link cannot bear the stream: wait for the next keyframe. */
  maxQueuedBytes: 8 * 1024 * 1024,
  /** ≥ 1 s at the start rate. */
  keptVideoPackets: 4096,
  keptAudioPackets: 256,
  reportMs: 1_000,
  /** A peer that reported and then is silent for so long is gone; ICE would notice after 30 s. */
  silenceMs: 6_000,
  /** Keyframes are asked of the camera no more often than this. */
  keyframeGapMs: 500,
} as const

export interface ProducerMediaOptions {
  video: { codec: LineCodec; ssrc: number }
  audio: { codec: LineCodec; ssrc: number; clockRate: number } | undefined
  /** False where the line is not open. */
  send: (mid: string, packet: Uint8Array) => boolean
  on: {
    /** Number of the first picture sent. Once. */
    firstFrame(frame: number): void
    keyframeWanted(): void
    /** The peer reports no more. Once. */
    silent(): void
    /** Pictures `from` … `to` (inclusive) are not sent live: footage brings them. */
    dropped(from: number, to: number): void
  }
  /** Capture clock, ms since the Unix epoch. */
  now: () => number
  random: () => number
  startRate?: number
}

/** Numbers of a session for logs and metrics. */
export interface ProducerStats {
  frames: number
  dropped: number
  packets: number
  repeated: number
  queuedBytes: number
  rate: number
  video: StreamReport | undefined
  audio: StreamReport | undefined
  /** Transport-wide feedback: packets reported as arrived and as lost. */
  arrived: number
  lost: number
}

interface Leaving {
  stream: SendStream
  mid: string
  packet: Uint8Array
  again: boolean
  /** The picture that is whole with this packet. */
  ends?: number
}

/** What flows once a session is proven and open: the kept group of pictures paced, then live; NACKs, reports, PLI. */
export class ProducerMedia {
  readonly #options: ProducerMediaOptions
  readonly #pacer: Pacer<Leaving>
  readonly #video: SendStream
  readonly #audio: SendStream | undefined
  #pump: NodeJS.Timeout | undefined
  #reports: NodeJS.Timeout | undefined
  #transportNumber = 0
  #lastFrame: number | undefined
  #lastAudio: number | undefined
  /** The newest picture that has left whole. */
  #wholeFrame: number | undefined
  #first = true
  /** Set where pictures were given up: nothing decodes before the next keyframe. */
  #needsKeyframe = true
  #gap: { from: number; to: number } | undefined
  #askedAt = Number.NEGATIVE_INFINITY
  #heardAt: number | undefined
  #closed = false
  readonly #counts = { frames: 0, dropped: 0, packets: 0, arrived: 0, lost: 0 }

  constructor(options: ProducerMediaOptions) {
    this.#options = options
    const { startRate, burstBytes, maxQueuedBytes, keptVideoPackets, keptAudioPackets, reportMs } = mediaDefaults
    const rate = options.startRate ?? startRate
    this.#pacer = new Pacer({ rate, burstBytes, maxBytes: maxQueuedBytes, now: () => performance.now() })
    const { video, audio, random } = options
    const payloadType = video.codec.payloadType
    this.#video = new SendStream({ ssrc: video.ssrc, payloadType, clockRate: 90_000, kept: keptVideoPackets, random })
    if (audio) {
      const { ssrc, clockRate, codec } = audio
      this.#audio = new SendStream({ ssrc, payloadType: codec.payloadType, clockRate, kept: keptAudioPackets, random })
    }
    this.#reports = setInterval(() => this.#report(), reportMs)
  }

  get stats(): ProducerStats {
    return {
      ...this.#counts,
      repeated: this.#video.repeated + (this.#audio?.repeated ?? 0),
      queuedBytes: this.#pacer.bytes,
      rate: this.#pacer.rate,
      video: this.#video.report,
      audio: this.#audio?.report,
    }
  }

  /** One picture, in decoding order; one that was sent already is passed over. */
  accessUnit(unit: AccessUnit): void {
    if (this.#closed || !isNewer(unit.frame, this.#lastFrame)) return
    this.#lastFrame = unit.frame
    if (unit.keyframe) this.#needsKeyframe = false
    // B-pictures do not belong in WebRTC (design.md), and nothing refers to them.
    if (this.#needsKeyframe || !unit.reference) {
      if (!this.#first) this.#drop(unit.frame)
      return
    }
    this.#tellGap()
    if (this.#first) {
      this.#first = false
      this.#options.on.firstFrame(unit.frame)
    }
    this.#counts.frames++
    const packets = this.#video.video(unit)
    for (const [index, packet] of packets.entries()) {
      const leaving: Leaving = { stream: this.#video, mid: mids.video, packet, again: false }
      if (index === packets.length - 1) leaving.ends = unit.frame
      if (this.#pacer.push(leaving, packet.length, priority.video)) continue
      this.#giveUp(unit.frame)
      break
    }
    this.#drain()
  }

  /** One frame of sound in the codec of the line. */
  audioFrame(frame: AudioFrame): void {
    if (this.#closed || this.#audio === undefined || !isNewer(frame.frame, this.#lastAudio)) return
    this.#lastAudio = frame.frame
    const packet = this.#audio.audio(frame)
    const leaving = { stream: this.#audio, mid: mids.audio, packet, again: false }
    this.#pacer.push(leaving, packet.length, priority.audio)
    this.#drain()
  }

  /** A compound RTCP packet of the peer's. */
  rtcp(bytes: Uint8Array): void {
    this.#heardAt = performance.now()
    for (const packet of parseRtcp(bytes)) this.#control(packet)
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#pump)
    clearInterval(this.#reports)
    for (const at of [priority.audio, priority.repeat, priority.video]) this.#pacer.clear(at)
    this.#tellGap()
    this.#video.close()
    this.#audio?.close()
  }

  #control(packet: RtcpPacket): void {
    switch (packet.type) {
      case 'nack':
        this.#repeat(packet.media, packet.lost)
        return
      case 'pli':
      case 'fir':
        this.#askKeyframe()
        return
      case 'rr':
      case 'sr':
        for (const block of packet.reports) this.#reported(block)
        return
      case 'twcc':
        for (const arrival of packet.arrivals) this.#counts[arrival.atUs === undefined ? 'lost' : 'arrived']++
        return
      default:
        return
    }
  }

  #reported(block: ReportBlock): void {
    this.#streamOf(block.ssrc)?.reported(block)
    // More than a tenth lost while we send as fast as we may: that is us.
    if (block.fractionLost > 25 && this.#pacer.bytes > 0) {
      this.#pacer.rate = Math.max(mediaDefaults.minRate, this.#pacer.rate * 0.7)
    }
  }

  #repeat(ssrc: number, lost: readonly number[]): void {
    const stream = this.#streamOf(ssrc)
    if (stream === undefined) return
    const mid = stream === this.#video ? mids.video : mids.audio
    for (const packet of stream.repeats(lost, performance.now())) {
      this.#pacer.push({ stream, mid, packet, again: true }, packet.length, priority.repeat)
    }
    this.#drain()
  }

  #streamOf(ssrc: number): SendStream | undefined {
    if (ssrc === this.#video.ssrc) return this.#video
    return ssrc === this.#audio?.ssrc ? this.#audio : undefined
  }

  #askKeyframe(): void {
    const at = performance.now()
    if (at - this.#askedAt < mediaDefaults.keyframeGapMs) return
    this.#askedAt = at
    this.#options.on.keyframeWanted()
  }

  /** The link cannot bear it: what waits is given up, up to the next keyframe. */
  #giveUp(frame: number): void {
    this.#pacer.clear(priority.video)
    this.#needsKeyframe = true
    const from = this.#wholeFrame === undefined ? frame : (this.#wholeFrame + 1) >>> 0
    this.#counts.dropped += ((frame - from) >>> 0) + 1
    this.#gap = { from, to: frame }
    this.#askKeyframe()
  }

  #drop(frame: number): void {
    this.#counts.dropped++
    if (this.#gap === undefined) this.#gap = { from: frame, to: frame }
    else this.#gap.to = frame
  }

  #tellGap(): void {
    const gap = this.#gap
    this.#gap = undefined
    if (gap) this.#options.on.dropped(gap.from, gap.to)
  }

  #drain(): void {
    if (this.#closed) return
    for (let leaving = this.#pacer.take(); leaving !== undefined; leaving = this.#pacer.take()) this.#leave(leaving)
    const waitMs = this.#pacer.waitMs()
    clearTimeout(this.#pump)
    this.#pump = waitMs === undefined ? undefined : setTimeout(() => this.#drain(), Math.max(1, waitMs))
  }

  #leave({ stream, mid, packet, again, ends }: Leaving): void {
    if (ends !== undefined) this.#wholeFrame = ends
    this.#transportNumber = (this.#transportNumber + 1) & 0xffff
    if (again) stream.leavesAgain(packet, this.#transportNumber)
    else stream.leaves(packet, this.#transportNumber, performance.now())
    this.#counts.packets++
    this.#options.send(mid, packet)
  }

  #report(): void {
    if (this.#heardAt !== undefined && performance.now() - this.#heardAt > mediaDefaults.silenceMs) {
      this.#heardAt = undefined
      this.#options.on.silent()
      return
    }
    const now = this.#options.now()
    for (const [mid, stream] of [[mids.video, this.#video] as const, [mids.audio, this.#audio] as const]) {
      const report = stream?.senderReport(now)
      if (stream === undefined || report === undefined) continue
      // RFC 3550 §6.1: a compound packet carries the name of its source.
      const sdes: RtcpPacket = { type: 'sdes', chunks: [{ ssrc: stream.ssrc, cname: 'porchlight' }] }
      this.#options.send(mid, writeRtcp([report, sdes]))
    }
  }
}

/** Whether a uint32 number comes after another, over a wrap too. */
function isNewer(number: number, last: number | undefined): boolean {
  return last === undefined || ((number - last) | 0) > 0
}
