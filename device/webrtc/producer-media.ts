import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { layerGoneMs } from '@porchlight/proto/media/congestion/link-layers.ts'
import { parseRtcp, type ReportBlock, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import type { LayerName } from '../camera/camera-source.ts'
import type { LineCodec } from './engine.ts'
import { mids } from './offer-lines.ts'
import { Pacer, type Priority, priorities, priority } from './pacer.ts'
import { mediaDefaults, type ProducerMediaOptions, type ProducerStats } from './producer-media-options.ts'
import { SendStream } from './send-stream.ts'
import { StreamRate } from './stream-rate.ts'
import { Uplink } from './uplink.ts'
import { isNewer, VideoLayer } from './video-layer.ts'

/** While the uplink is tried, padding leaves so often, ms. */
const probePaceMs = 2

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
  readonly #uplink: Uplink
  readonly #audioRate = new StreamRate()
  /** Every stream that is sent, with the line it goes on. */
  readonly #streams: readonly { mid: string; stream: SendStream }[]
  #pump: NodeJS.Timeout | undefined
  #reports: NodeJS.Timeout | undefined
  #transportNumber = 0
  #lastAudio: number | undefined
  #heardAt: number | undefined
  /** When the last picture of the small layer came. */
  #subAtMs: number | undefined
  #closed = false
  readonly #counts = { packets: 0, arrived: 0, lost: 0 }

  constructor(options: ProducerMediaOptions) {
    this.#options = options
    const { startRate, burstBytes, maxQueuedBytes, keptVideoPackets, keptAudioPackets, reportMs } = mediaDefaults
    const rate = options.startRate ?? startRate
    const now = () => performance.now()
    this.#pacer = new Pacer({ rate, burstBytes, maxBytes: maxQueuedBytes, now })
    const { video, sub, audio, random, on } = options
    const layered = () => this.#subAtMs !== undefined && now() - this.#subAtMs < layerGoneMs
    this.#uplink = new Uplink({ startRate: rate, layered, now })
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
      mainLeftOut: this.#main.leftOut,
    }
  }

  /** What the uplink bears beside all that is live, bit/s; undefined while nothing has shown where it ends. */
  get spareRate(): number | undefined {
    if (this.#uplink.probing) return undefined
    return Math.max(0, this.#uplink.rate - (this.#main.leftOut ? this.#smallRate : this.#wantedRate))
  }

  /** One picture of a layer, in decoding order; one that was sent already is passed over. */
  accessUnit(unit: AccessUnit, name: LayerName = 'main'): void {
    const layer = name === 'main' ? this.#main : this.#sub
    if (this.#closed || layer === undefined) return
    if (name === 'sub') this.#subAtMs = performance.now()
    this.#uplink.tick(this.#wantedRate)
    if (this.#uplink.main === this.#main.leftOut) this.#heed()
    const packets = layer.take(unit)
    for (const [index, packet] of packets.entries()) {
      const leaving: Leaving = { stream: layer.stream, mid: layer.mid, packet, again: false }
      if (index === packets.length - 1) leaving.ends = { layer, frame: unit.frame }
      if (this.#push(leaving, layer.priority)) continue
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
    this.#audioRate.add(frame.data.length, frame.captureMs)
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
        this.#uplink.feedback(packet, this.#wantedRate)
        this.#heed()
        return
      default:
        return
    }
  }

  #reported(block: ReportBlock): void {
    this.#streams.find(({ stream }) => stream.ssrc === block.ssrc)?.stream.reported(block)
    this.#uplink.reported(block, this.#wantedRate)
    this.#heed()
  }

  /** What all layers and the sound take, bit/s; 0: not known yet. */
  get #wantedRate(): number {
    return this.#main.bytesPerMs === 0 ? 0 : this.#main.bytesPerMs * 8_000 + this.#smallRate
  }

  /** The same without the main layer. */
  get #smallRate(): number {
    return ((this.#sub?.bytesPerMs ?? 0) + this.#audioRate.bytesPerMs) * 8_000
  }

  /** The uplink is known better: the pace follows, and the main layer goes or comes back. */
  #heed(): void {
    this.#pacer.rate = this.#uplink.rate
    if (this.#uplink.main) this.#main.comeBack()
    else if (!this.#main.leftOut) {
      this.#main.leaveOut()
      this.#pacer.clear(this.#main.priority)
    }
    this.#drain()
  }

  /** False where too much waits for the pace of now. */
  #push(leaving: Leaving, at: Priority): boolean {
    const { maxQueuedMs, minQueuedBytes } = mediaDefaults
    const most = Math.max(minQueuedBytes, (this.#pacer.rate * maxQueuedMs) / 8_000)
    const { length } = leaving.packet
    return this.#pacer.bytes + length <= most && this.#pacer.push(leaving, length, at)
  }

  #repeat(ssrc: number, lost: readonly number[]): void {
    const found = this.#streams.find(({ stream }) => stream.ssrc === ssrc)
    // Of a layer that is left out nothing is worth the uplink.
    if (found === undefined || (found === this.#main && this.#main.leftOut)) return
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
    const probing = this.#tryUplink()
    const waitMs = probing ? probePaceMs : this.#pacer.waitMs()
    clearTimeout(this.#pump)
    this.#pump = waitMs === undefined ? undefined : setTimeout(() => this.#drain(), Math.max(1, waitMs))
  }

  /** Sends padding beside the media, on the small layer's line. @returns whether there is more to come */
  #tryUplink(): boolean {
    for (let due = this.#uplink.paddingDue(); due > 0; ) {
      const packet = this.#sub?.stream.padding()
      if (this.#sub === undefined || packet === undefined) return false
      this.#leave({ stream: this.#sub.stream, mid: this.#sub.mid, packet, again: false })
      due -= packet.length
    }
    return this.#uplink.probeLeaves
  }

  #leave({ stream, mid, packet, again, ends }: Leaving): void {
    ends?.layer.left(ends.frame)
    if (again) this.#uplink.leftAgain(stream.leavesAgain(packet))
    else {
      this.#transportNumber = (this.#transportNumber + 1) & 0xffff
      this.#uplink.left(this.#transportNumber, packet.length)
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
