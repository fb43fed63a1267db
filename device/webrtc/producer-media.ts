import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { parseRtcp, type ReportBlock, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import type { LayerName } from '../camera/camera-source.ts'
import type { LineCodec } from './engine.ts'
import { mids } from './offer-lines.ts'
import { Pacer, priorities, priority } from './pacer.ts'
import { SendStream, type StreamReport } from './send-stream.ts'
import { isNewer, VideoLayer } from './video-layer.ts'

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
} as const

export interface ProducerMediaOptions {
  video: { codec: LineCodec; ssrc: number }
  /** The camera's small stream, where it has one that fits. */
  sub: { codec: LineCodec; ssrc: number } | undefined
  audio: { codec: LineCodec; ssrc: number; clockRate: number } | undefined
  /** False where the line is not open. */
  send: (mid: string, packet: Uint8Array) => boolean
  on: {
    /** Number of the main layer's first picture sent. Once. */
    firstFrame(frame: number): void
    keyframeWanted(layer: LayerName): void
    /** The peer reports no more. Once. */
    silent(): void
    /** Pictures `from` … `to` (inclusive) of the main layer are not sent live: footage brings them. */
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
  ends?: { layer: VideoLayer; frame: number }
}

/** What flows once a session is proven and open: the kept group of pictures paced, then live; NACKs, reports, PLI. */
export class ProducerMedia {
  readonly #options: ProducerMediaOptions
  readonly #pacer: Pacer<Leaving>
  readonly #main: VideoLayer
  readonly #sub: VideoLayer | undefined
  readonly #audio: SendStream | undefined
  /** Every stream that is sent, with the line it goes on. */
  readonly #streams: readonly { mid: string; stream: SendStream }[]
  #pump: NodeJS.Timeout | undefined
  #reports: NodeJS.Timeout | undefined
  #transportNumber = 0
  #lastAudio: number | undefined
  #heardAt: number | undefined
  #closed = false
  readonly #counts = { packets: 0, arrived: 0, lost: 0 }

  constructor(options: ProducerMediaOptions) {
    this.#options = options
    const { startRate, burstBytes, maxQueuedBytes, keptVideoPackets, keptAudioPackets, reportMs } = mediaDefaults
    const rate = options.startRate ?? startRate
    this.#pacer = new Pacer({ rate, burstBytes, maxBytes: maxQueuedBytes, now: () => performance.now() })
    const { video, sub, audio, random, on } = options
    const stream = (of: { codec: LineCodec; ssrc: number }, clockRate: number, kept: number) =>
      new SendStream({ ssrc: of.ssrc, payloadType: of.codec.payloadType, clockRate, kept, random })
    this.#main = new VideoLayer(mids.video, priority.video, stream(video, 90_000, keptVideoPackets), {
      firstFrame: on.firstFrame,
      keyframeWanted: () => on.keyframeWanted('main'),
      dropped: on.dropped,
    })
    if (sub) {
      this.#sub = new VideoLayer(mids.sub, priority.sub, stream(sub, 90_000, keptVideoPackets), {
        firstFrame: () => undefined,
        keyframeWanted: () => on.keyframeWanted('sub'),
        // Only the main layer is recorded.
        dropped: () => undefined,
      })
    }
    if (audio) this.#audio = stream(audio, audio.clockRate, keptAudioPackets)
    const sound = this.#audio && { mid: mids.audio, stream: this.#audio }
    this.#streams = [this.#main, this.#sub, sound].filter((one) => one !== undefined)
    this.#reports = setInterval(() => this.#report(), reportMs)
  }

  get stats(): ProducerStats {
    return {
      ...this.#counts,
      frames: this.#main.frames,
      dropped: this.#main.dropped,
      repeated: this.#streams.reduce((sum, { stream }) => sum + stream.repeated, 0),
      queuedBytes: this.#pacer.bytes,
      rate: this.#pacer.rate,
      video: this.#main.stream.report,
      audio: this.#audio?.report,
    }
  }

  /** One picture of a layer, in decoding order; one that was sent already is passed over. */
  accessUnit(unit: AccessUnit, name: LayerName = 'main'): void {
    const layer = name === 'main' ? this.#main : this.#sub
    if (this.#closed || layer === undefined) return
    const packets = layer.take(unit)
    for (const [index, packet] of packets.entries()) {
      const leaving: Leaving = { stream: layer.stream, mid: layer.mid, packet, again: false }
      if (index === packets.length - 1) leaving.ends = { layer, frame: unit.frame }
      if (this.#pacer.push(leaving, packet.length, layer.priority)) continue
      this.#pacer.clear(layer.priority)
      layer.giveUp(unit.frame)
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
    for (const at of priorities) this.#pacer.clear(at)
    this.#main.close()
    this.#sub?.close()
    this.#audio?.close()
  }

  #control(packet: RtcpPacket): void {
    switch (packet.type) {
      case 'nack':
        this.#repeat(packet.media, packet.lost)
        return
      case 'pli':
        this.#layerOf(packet.media)?.askKeyframe()
        return
      case 'fir':
        for (const { ssrc } of packet.requests) this.#layerOf(ssrc)?.askKeyframe()
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
    this.#streams.find(({ stream }) => stream.ssrc === block.ssrc)?.stream.reported(block)
    // More than a tenth lost while we send as fast as we may: that is us.
    if (block.fractionLost > 25 && this.#pacer.bytes > 0) {
      this.#pacer.rate = Math.max(mediaDefaults.minRate, this.#pacer.rate * 0.7)
    }
  }

  #repeat(ssrc: number, lost: readonly number[]): void {
    const found = this.#streams.find(({ stream }) => stream.ssrc === ssrc)
    if (found === undefined) return
    const { mid, stream } = found
    for (const packet of stream.repeats(lost, performance.now())) {
      this.#pacer.push({ mid, stream, packet, again: true }, packet.length, priority.repeat)
    }
    this.#drain()
  }

  #layerOf(ssrc: number): VideoLayer | undefined {
    if (ssrc === this.#main.stream.ssrc) return this.#main
    return ssrc === this.#sub?.stream.ssrc ? this.#sub : undefined
  }

  #drain(): void {
    if (this.#closed) return
    for (let leaving = this.#pacer.take(); leaving !== undefined; leaving = this.#pacer.take()) this.#leave(leaving)
    const waitMs = this.#pacer.waitMs()
    clearTimeout(this.#pump)
    this.#pump = waitMs === undefined ? undefined : setTimeout(() => this.#drain(), Math.max(1, waitMs))
  }

  #leave({ stream, mid, packet, again, ends }: Leaving): void {
    ends?.layer.left(ends.frame)
    if (again) stream.leavesAgain(packet)
    else {
      this.#transportNumber = (this.#transportNumber + 1) & 0xffff
      stream.leaves(packet, this.#transportNumber, performance.now())
    }
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
    for (const { mid, stream } of this.#streams) {
      const report = stream.senderReport(now)
      if (report === undefined) continue
      // RFC 3550 §6.1: a compound packet carries the name of its source.
      const sdes: RtcpPacket = { type: 'sdes', chunks: [{ ssrc: stream.ssrc, cname: 'porchlight' }] }
      this.#options.send(mid, writeRtcp([report, sdes]))
    }
  }
}
