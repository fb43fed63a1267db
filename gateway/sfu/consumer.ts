import { parseRtcp, type ReportBlock, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp } from '@porchlight/proto/media/rtp.ts'
import { type Layer, LayerChoice } from './layer-choice.ts'
import { LineSender } from './line-sender.ts'
import { LinkEstimate } from './link-estimate.ts'
import type { MediaLine } from './media-line.ts'
import { Pacer } from './pacer.ts'
import type { MediaPacket } from './packet-ring.ts'
import type { Producer } from './producer.ts'
import { RemoteReport } from './remote-report.ts'
import type { SenderLink, SenderTrack } from './sender-link.ts'
import { Traffic } from './traffic.ts'

export interface ConsumerOptions {
  session: string
  video: SenderTrack | undefined
  audio: SenderTrack | undefined
  /** Must read the bytes before it returns: their room is used again at once. Must not throw. */
  send(mid: string, bytes: Uint8Array): void
  /** Wants `pump` to be called again in a moment. */
  backlog(consumer: Consumer): void
  /** ms, monotone. */
  now: () => number
}

const reportMs = 1_000
/** A layer of which nothing has come for so long is not there, ms. */
const layerGoneMs = 2_000
/** On the small layer the link is tried for the main one so often, ms, with a train of so many packets. */
const probeMs = 1_000
const probePackets = 8
/** What a datagram carries besides RTP: UDP, IP and SRTP tag. */
const overheadBytes = 38

/** One viewer of one producer: sound first, everything paced to what the link is believed to bear. */
export class Consumer implements SenderLink {
  readonly session: string
  readonly estimate = new LinkEstimate()
  /** What was sent, and what the viewer asked for. */
  readonly traffic = new Traffic()
  /** What the viewer says of the picture and of the sound. */
  readonly remote = { video: new RemoteReport(), audio: new RemoteReport() }
  readonly #options: ConsumerOptions
  readonly #pacer = new Pacer()
  readonly #senders: readonly LineSender[]
  readonly #video: LineSender | undefined
  readonly #open = new Set<string>()
  readonly #choice = new LayerChoice()
  #producer: Producer | undefined
  #unlisten: (() => void)[] = []
  #probedMs = Number.NEGATIVE_INFINITY
  #transportSequence = 0
  #reportAtMs = Number.NEGATIVE_INFINITY
  #nowMs = 0
  #feedbackHeard = false
  #closed = false

  constructor(options: ConsumerOptions) {
    this.session = options.session
    this.#options = options
    this.#video = options.video && new LineSender(options.video, this)
    const audio = options.audio && new LineSender(options.audio, this)
    // In this order: sound goes first.
    this.#senders = [audio, this.#video].filter((sender) => sender !== undefined)
  }

  get producer(): Producer | undefined {
    return this.#producer
  }

  /** What the link is believed to bear, bit/s; undefined while the viewer has said nothing of it. */
  get estimatedBitrate(): number | undefined {
    return this.#feedbackHeard ? this.estimate.rate * 8_000 : undefined
  }

  get senders(): readonly LineSender[] {
    return this.#senders
  }

  /** Takes a producer as the source; before the tracks are open nothing is sent. */
  attach(producer: Producer | undefined): void {
    if (this.#closed) return
    for (const unlisten of this.#unlisten) unlisten()
    this.#unlisten = []
    this.#producer = producer
    for (const sender of this.#senders) {
      const lines = sender === this.#video ? [producer?.video, producer?.sub] : [producer?.audio]
      for (const line of lines) {
        if (line) this.#unlisten.push(line.listen({ packet: (_, packet) => this.#arrived(sender, line, packet) }))
      }
      if (this.#open.has(sender.track.mid)) this.#start(sender)
    }
    this.#pumpNow()
  }

  /** A track can send from now on. */
  opened(mid: string): void {
    if (this.#closed || this.#open.has(mid)) return
    this.#open.add(mid)
    for (const sender of this.#senders) if (sender.track.mid === mid) this.#start(sender)
    this.#pumpNow()
  }

  #start(sender: LineSender): void {
    const video = this.#layer === 'sub' ? this.#producer?.sub : this.#producer?.video
    sender.attach(sender === this.#video ? video : this.#producer?.audio, this.#options.now())
    if (sender.needsKeyframe) this.#requestKeyframe(sender)
  }

  /** The layer that is wanted: the main one where there is no other, or nothing comes of it. */
  get #layer(): Layer {
    const ring = this.#producer?.sub?.cache.ring
    const newest = ring?.get(ring.head)
    return newest && this.#options.now() - newest.arrivalMs < layerGoneMs ? this.#choice.layer : 'main'
  }

  /** The layer that the viewer gets. */
  get layer(): Layer {
    const sub = this.#producer?.sub
    return sub !== undefined && this.#video?.line === sub ? 'sub' : 'main'
  }

  #requestKeyframe(sender: LineSender): void {
    if (sender === this.#video) this.#producer?.requestKeyframe(this.layer === 'sub' ? 'sub' : 'video')
  }

  #arrived(sender: LineSender, line: MediaLine, packet: MediaPacket): void {
    // The main layer is taken at its next keyframe: until then the small one goes on.
    const rises = packet.keyframe && line === this.#producer?.video && this.#layer === 'main' && this.layer === 'sub'
    if (rises) sender.switchTo(line, packet.arrivalMs)
    if (sender.line !== line) return
    this.#nowMs = packet.arrivalMs
    sender.arrived(packet, packet.arrivalMs)
    // The packets of a picture leave together, with its last one: a run of them costs each of many viewers far less
    // (caches, wake-ups) than as many single ones.
    if (sender === this.#video && !packet.marker) {
      this.#options.backlog(this)
      return
    }
    if (sender.pump(packet.arrivalMs)) this.#options.backlog(this)
    this.#reports()
  }

  /** The link was heard of: whether it bears the main layer. */
  #chooseLayer(): void {
    const { video, sub, audio } = this.#producer ?? {}
    const sender = this.#video
    if (!video || !sub || !sender) return
    const nowMs = this.#nowMs
    const { rate, probing, free } = this.estimate
    const main = video.bytesPerMs && video.bytesPerMs + (audio?.bytesPerMs ?? 0)
    this.#choice.decide({ nowMs, rate, probing, main })
    if (sender.line === video && this.#layer === 'sub') {
      sender.switchTo(sub, nowMs)
      if (sender.needsKeyframe) this.#requestKeyframe(sender)
      this.#pumpNow()
    } else if (sender.line === sub && this.#layer === 'main') {
      this.#producer?.requestKeyframe('video')
    } else if (sender.line === sub && free && this.#choice.wouldRise(nowMs) && nowMs - this.#probedMs >= probeMs) {
      this.#probedMs = nowMs
      sender.probe(probePackets, nowMs)
    }
  }

  /** Sends what the pace allows; true where something is left. */
  pump(): boolean {
    if (this.#closed) return false
    this.#nowMs = this.#options.now()
    let left = false
    for (const sender of this.#senders) left = sender.pump(this.#nowMs) || left
    this.#reports()
    return left
  }

  #pumpNow(): void {
    if (this.pump()) this.#options.backlog(this)
  }

  /** RTCP of the viewer on one of our tracks. */
  rtcp(mid: string, bytes: Uint8Array): void {
    if (this.#closed || !isRtcp(bytes)) return
    this.#nowMs = this.#options.now()
    const sender = this.#senders.find((one) => one.track.mid === mid)
    if (!sender) return
    // A compound packet reaches every track it names: each takes what names its own source.
    for (const packet of parseRtcp(bytes)) this.#feedback(sender, packet)
    this.#chooseLayer()
  }

  #feedback(sender: LineSender, packet: RtcpPacket): void {
    const { ssrc } = sender.track
    switch (packet.type) {
      case 'nack':
        if (packet.media !== ssrc) return
        this.traffic.nacks++
        sender.resend(packet.lost, this.#nowMs)
        return
      case 'pli':
        if (packet.media !== ssrc) return
        this.traffic.plis++
        this.#requestKeyframe(sender)
        return
      case 'fir':
        if (!packet.requests.some((request) => request.ssrc === ssrc)) return
        this.traffic.firs++
        this.#requestKeyframe(sender)
        return
      case 'twcc':
        if (packet.media !== ssrc) return
        this.#feedbackHeard = true
        this.estimate.feedback(packet, this.#nowMs)
        return
      case 'rr':
      case 'sr':
        for (const block of packet.reports) if (block.ssrc === ssrc) this.#reported(sender, block)
    }
  }

  #reported(sender: LineSender, block: ReportBlock): void {
    if (sender.line) this.#remoteOf(sender).heard(block, sender.line.format.clockRate, this.#nowMs)
    if (sender.track.transportCcId !== undefined) return
    this.#feedbackHeard = true
    this.estimate.report(block, this.#nowMs)
  }

  #remoteOf(sender: LineSender): RemoteReport {
    return sender === this.#video ? this.remote.video : this.remote.audio
  }

  #reports(): void {
    if (this.#nowMs - this.#reportAtMs < reportMs) return
    for (const sender of this.#senders) {
      const report = sender.senderReport(this.#nowMs)
      if (!report) continue
      this.#reportAtMs = this.#nowMs
      this.#remoteOf(sender).sent(report.ntp, this.#nowMs)
      const cname = { type: 'sdes' as const, chunks: [{ ssrc: report.ssrc, cname: 'porchlight' }] }
      this.#options.send(sender.track.mid, writeRtcp([report, cname]))
    }
  }

  get rate(): number {
    return this.estimate.rate
  }

  get probing(): boolean {
    return this.estimate.probing
  }

  budget(): number {
    return this.#pacer.budget(this.#nowMs, this.estimate.rate)
  }

  nextTransportSequence(): number {
    const sequence = this.#transportSequence
    this.#transportSequence = (sequence + 1) & 0xffff
    return sequence
  }

  send(track: SenderTrack, bytes: Uint8Array, sequence: number | undefined): void {
    const size = bytes.length + overheadBytes
    this.#pacer.spend(size)
    if (sequence !== undefined) this.estimate.sent(sequence, size, this.#nowMs)
    this.traffic.packet(bytes.length, this.#nowMs)
    this.#options.send(track.mid, bytes)
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true
    for (const unlisten of this.#unlisten) unlisten()
    this.#unlisten = []
    this.#producer = undefined
  }
}
