import { parseRtcp, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp, msFromNtp } from '@porchlight/proto/media/rtp.ts'
import type { Logger } from 'pino'
import { ArrivalFeedback } from './arrival-feedback.ts'
import { KeyframeRequests } from './keyframe-requests.ts'
import { type LineFormat, MediaLine } from './media-line.ts'
import { type TalkFormat, TalkLine } from './talk-line.ts'
import { Traffic } from './traffic.ts'

/** `sub` is the picture's small layer. */
export type LineName = 'video' | 'sub' | 'audio'

export interface ProducerOptions {
  /** `{device}.{camera}` */
  camera: string
  /** Names the numbering of frames: the device's boot id. */
  run: string
  video: LineFormat | undefined
  /** Of the same codec as `video`. */
  sub?: LineFormat | undefined
  audio: LineFormat | undefined
  talk: TalkFormat | undefined
  /** Sends to the device; the line says on which track. Must not throw. */
  send(line: LineName | 'talk', bytes: Uint8Array): void
  /** ms, monotone. */
  now: () => number
  /** ms since the Unix epoch. */
  wallNow: () => number
  log: Logger
}

/** Our SSRC in RTCP to the device. */
const ownSsrc = 1
/** How often it is looked after what is missing, while something is, ms. */
const repairMs = 5
const feedbackMs = 50
const reportMs = 1_000

/**
 * The media of one camera, from a device's session or anything else that brings RTP. It keeps the group of pictures,
 * asks for what is lost, reports to the sender, and hands each packet to whoever listens to its lines.
 */
export class Producer implements AsyncDisposable {
  readonly camera: string
  readonly run: string
  readonly video: MediaLine | undefined
  readonly sub: MediaLine | undefined
  readonly audio: MediaLine | undefined
  readonly talk: TalkLine | undefined
  /** What came, and what was asked for. */
  readonly traffic = new Traffic()
  readonly #options: ProducerOptions
  /** Those of the three that there are. */
  readonly #lines: readonly (readonly [LineName, MediaLine])[]
  readonly #feedback = new ArrivalFeedback()
  readonly #endListeners = new Set<() => void>()
  readonly #timer: NodeJS.Timeout
  #repairs: NodeJS.Timeout | undefined
  #reportAtMs = 0
  readonly #keyframes: Record<'video' | 'sub', KeyframeRequests>
  #lastPacketMs: number | undefined
  #ended = false

  constructor(options: ProducerOptions) {
    this.#options = options
    this.camera = options.camera
    this.run = options.run
    this.video = options.video && new MediaLine(options.video, options.wallNow)
    this.sub = options.sub && new MediaLine(options.sub, options.wallNow)
    this.audio = options.audio && new MediaLine(options.audio, options.wallNow)
    this.talk = options.talk && new TalkLine(options.talk, (bytes) => options.send('talk', bytes))
    this.#lines = (['video', 'sub', 'audio'] as const).flatMap((name) =>
      this[name] ? [[name, this[name]] as const] : [],
    )
    this.#keyframes = { video: this.#asker('video'), sub: this.#asker('sub') }
    for (const [, line] of this.#lines) {
      line.onTransportSequence((sequence, nowMs) => this.#feedback.arrived(sequence, nowMs))
    }
    this.#timer = setInterval(() => this.#tick(), feedbackMs)
    this.#timer.unref()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** When the last packet came, on the clock of `now`. */
  get lastPacketMs(): number | undefined {
    return this.#lastPacketMs
  }

  /** Capture time of the newest picture, ms since the Unix epoch. */
  get newestCaptureMs(): number | undefined {
    const ring = this.video?.cache.ring
    const newest = ring?.get(ring.head)
    return newest && this.video?.clock.captureMs(newest.timestamp)
  }

  /** Bytes of RTP or RTCP of one line, as the engine gives them. */
  packet(name: LineName, bytes: Uint8Array): void {
    if (this.#ended) return
    const nowMs = this.#options.now()
    const line = this[name]
    if (!line) return
    if (isRtcp(bytes)) {
      this.#rtcp(line, bytes, nowMs)
      return
    }
    this.#lastPacketMs = nowMs
    this.traffic.packet(bytes.length, nowMs)
    if (line.receive(bytes, nowMs) === 'keyframe' && name !== 'audio') this.requestKeyframe(name)
    // Nothing is lost most of the time: no timer runs for it then.
    if (line.losses.size > 0) this.#repairs ??= setInterval(() => this.#repair(), repairMs)
  }

  /** Asks the device for a keyframe; requests that come in quick succession become one. */
  requestKeyframe(layer: 'video' | 'sub' = 'video'): void {
    if (!this.#ended && this[layer]?.ssrc !== undefined) this.#keyframes[layer].request(this.#options.now())
  }

  #asker(layer: 'video' | 'sub'): KeyframeRequests {
    return new KeyframeRequests(() => {
      const media = this[layer]?.ssrc
      if (media === undefined) return
      this.traffic.plis++
      this.#options.send(layer, writeRtcp([{ type: 'pli', sender: ownSsrc, media }]))
    })
  }

  /** Called once, when the producer ends. */
  onEnd(callback: () => void): () => void {
    this.#endListeners.add(callback)
    return () => {
      this.#endListeners.delete(callback)
    }
  }

  #rtcp(line: MediaLine, bytes: Uint8Array, nowMs: number): void {
    for (const packet of parseRtcp(bytes)) {
      if (packet.type === 'sr' && packet.ssrc === line.ssrc) {
        line.senderReport(packet.ntp, msFromNtp(packet.ntp), packet.rtp, nowMs)
      }
    }
  }

  #tick(): void {
    const nowMs = this.#options.now()
    this.#keyframes.video.tick(nowMs)
    this.#keyframes.sub.tick(nowMs)
    const media = this.video?.ssrc ?? this.audio?.ssrc
    const feedback = media === undefined ? undefined : this.#feedback.take(ownSsrc, media)
    if (feedback) this.#options.send(this.video?.ssrc === media ? 'video' : 'audio', writeRtcp([feedback]))
    if (nowMs - this.#reportAtMs >= reportMs) {
      this.#reportAtMs = nowMs
      for (const [name, line] of this.#lines) this.#report(name, line, nowMs)
    }
  }

  #repair(): void {
    const nowMs = this.#options.now()
    const torn = this.#lines.filter(([, line]) => line.losses.size > 0)
    for (const [name, line] of torn) this.#askAgain(name, line, nowMs)
    if (torn.length > 0) return
    clearInterval(this.#repairs)
    this.#repairs = undefined
  }

  #askAgain(name: LineName, line: MediaLine, nowMs: number): void {
    const { ask, givenUp } = line.losses.due(nowMs)
    if (ask.length > 0 && line.ssrc !== undefined) {
      const lost = ask.map((ext) => ext & 0xffff)
      this.traffic.nacks++
      this.#options.send(name, writeRtcp([{ type: 'nack', sender: ownSsrc, media: line.ssrc, lost }]))
    }
    // What nobody can mend any more tears the picture until the next keyframe: ask for one.
    if (givenUp.length > 0 && name !== 'audio') this.requestKeyframe(name)
  }

  #report(name: LineName, line: MediaLine, nowMs: number): void {
    if (line.ssrc === undefined) return
    const block = line.report.take(line.ssrc, nowMs)
    const packets: RtcpPacket[] = [{ type: 'rr', ssrc: ownSsrc, reports: block ? [block] : [] }]
    this.#options.send(name, writeRtcp(packets))
  }

  /** Ends the producer: readers and consumers are told. Idempotent. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#timer)
    clearInterval(this.#repairs)
    for (const [, line] of this.#lines) line.flush()
    for (const callback of [...this.#endListeners]) callback()
    this.#endListeners.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }
}
