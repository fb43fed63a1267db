import type { Layer } from '@porchlight/proto/media/congestion/layer-choice.ts'
import { datagramOverhead, LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { isRtcp } from '@porchlight/proto/media/rtp.ts'
import { LayerSwitch } from './layer-switch.ts'
import { LineSender } from './line-sender.ts'
import type { MediaLine } from './media-line.ts'
import { Pacer } from './pacer.ts'
import type { MediaPacket } from './packet-ring.ts'
import type { Producer } from './producer.ts'
import type { RemoteReport } from './remote-report.ts'
import type { SenderLink, SenderTrack } from './sender-link.ts'
import { Traffic } from './traffic.ts'
import { ViewerRtcp } from './viewer-rtcp.ts'

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

/** Where so much is lost, 0…1, of a link that bears so much, bytes per ms, sound is sent twice. */
const soundTwiceLoss = 0.02
const soundTwiceRate = 100

/** One viewer of one producer: sound first, everything paced to what the link is believed to bear. */
export class Consumer implements SenderLink {
  readonly session: string
  readonly estimate = new LinkEstimate()
  /** What was sent, and what the viewer asked for. */
  readonly traffic = new Traffic()
  readonly #options: ConsumerOptions
  readonly #pacer = new Pacer()
  readonly #senders: readonly LineSender[]
  readonly #video: LineSender | undefined
  readonly #sound: LineSender | undefined
  readonly #open = new Set<string>()
  readonly #layers: LayerSwitch
  readonly #rtcp: ViewerRtcp
  #producer: Producer | undefined
  #unlisten: (() => void)[] = []
  #transportSequence = 0
  #nowMs = 0
  #closed = false

  constructor(options: ConsumerOptions) {
    this.session = options.session
    this.#options = options
    this.#video = options.video && new LineSender(options.video, this)
    this.#sound = options.audio && new LineSender(options.audio, this)
    // In this order: sound goes first.
    this.#senders = [this.#sound, this.#video].filter((sender) => sender !== undefined)
    this.#layers = new LayerSwitch(this.estimate, options.now)
    this.#rtcp = new ViewerRtcp({
      video: this.#video,
      audio: this.#sound,
      estimate: this.estimate,
      traffic: this.traffic,
      requestKeyframe: (sender) => this.#requestKeyframe(sender),
      send: (mid, bytes) => options.send(mid, bytes),
    })
  }

  get producer(): Producer | undefined {
    return this.#producer
  }

  /** What the link is believed to bear, bit/s; undefined while the viewer has said nothing of it. */
  get estimatedBitrate(): number | undefined {
    return this.#rtcp.linkHeard ? this.estimate.rate * 8_000 : undefined
  }

  /** What the viewer says of the picture and of the sound. */
  get remote(): Readonly<Record<'video' | 'audio', RemoteReport>> {
    return this.#rtcp.remote
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
        if (line) this.#unlisten.push(line.listen({ packets: (packets) => this.#arrived(sender, line, packets) }))
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
    const line = sender === this.#video ? this.#layers.wanted(this.#producer) : this.#producer?.audio
    sender.attach(line, this.#options.now())
    if (sender.needsKeyframe) this.#requestKeyframe(sender)
  }

  /** The layer that the viewer gets. */
  get layer(): Layer {
    const sub = this.#producer?.sub
    return sub !== undefined && this.#video?.line === sub ? 'sub' : 'main'
  }

  #requestKeyframe(sender: LineSender): void {
    if (sender === this.#video) this.#producer?.requestKeyframe(this.layer === 'sub' ? 'sub' : 'video')
  }

  #arrived(sender: LineSender, line: MediaLine, packets: readonly MediaPacket[]): void {
    this.#nowMs = this.#options.now()
    for (const packet of packets) {
      // Another layer is taken at its next keyframe: until then the one that is shown goes on, if it does.
      if (packet.keyframe && sender.line !== line && sender === this.#video) {
        if (line === this.#layers.wanted(this.#producer)) sender.switchTo(line, this.#nowMs)
      }
      if (packet.marker && this.#layers.short) this.#chooseLayer()
      if (sender.line === line) sender.arrived(packet, this.#nowMs)
    }
    if (sender.line !== line) return
    if (sender.pump(this.#nowMs)) this.#options.backlog(this)
    this.#rtcp.report(this.#nowMs)
  }

  /** The link was heard of: whether it bears the main layer. */
  #chooseLayer(): void {
    const { video, sub, audio } = this.#producer ?? {}
    const sender = this.#video
    if (!video || !sub || !sender) return
    const sound = this.#sound && this.#counted(this.#sound.track) ? (audio?.bytesPerMs ?? 0) : 0
    switch (this.#layers.step({ video, sub }, sender, sound, this.#nowMs)) {
      case 'fall':
        sender.switchTo(sub, this.#nowMs)
        if (sender.needsKeyframe) this.#requestKeyframe(sender)
        this.#pumpNow()
        return
      case 'rise':
        this.#producer?.requestKeyframe('video')
        return
      case 'probe':
        this.#pumpNow()
    }
  }

  /** Sends what the pace allows; true where something is left. */
  pump(): boolean {
    if (this.#closed) return false
    this.#nowMs = this.#options.now()
    let left = false
    for (const sender of this.#senders) left = sender.pump(this.#nowMs) || left
    if (this.estimate.probes.leaves) {
      this.#video?.probe(this.estimate.probes.due(this.#nowMs), this.#nowMs)
      left ||= this.estimate.probes.leaves
    }
    this.#rtcp.report(this.#nowMs)
    return left
  }

  #pumpNow(): void {
    if (this.pump()) this.#options.backlog(this)
  }

  /** RTCP of the viewer on one of our tracks. */
  rtcp(mid: string, bytes: Uint8Array): void {
    if (this.#closed || !isRtcp(bytes)) return
    this.#nowMs = this.#options.now()
    if (this.#rtcp.received(mid, bytes, this.#nowMs)) this.#chooseLayer()
  }

  get rate(): number {
    return this.estimate.rate
  }

  get probing(): boolean {
    return this.estimate.probing
  }

  get soundTwice(): boolean {
    const { lossShare, free, rate } = this.estimate
    return lossShare >= soundTwiceLoss && free && rate >= soundTwiceRate
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
    if (sequence !== undefined) this.estimate.sent(sequence, bytes.length + datagramOverhead, this.#nowMs)
    this.#send(track, bytes)
  }

  sendAgain(track: SenderTrack, bytes: Uint8Array, sequence: number | undefined): void {
    if (sequence !== undefined) this.estimate.sentAgain(sequence)
    this.#send(track, bytes)
  }

  /** Whether the estimate is of this track's packets too (Chromium gives no account of G.711). */
  #counted(track: SenderTrack): boolean {
    return track.transportCcId !== undefined || this.#video?.track.transportCcId === undefined
  }

  #send(track: SenderTrack, bytes: Uint8Array): void {
    // What the viewer gives no account of, the estimate does not comprise.
    if (this.#counted(track)) this.#pacer.spend(bytes.length + datagramOverhead)
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
