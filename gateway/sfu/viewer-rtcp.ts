import type { LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { parseRtcp, type ReportBlock, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import type { LineSender } from './line-sender.ts'
import { RemoteReport } from './remote-report.ts'
import type { Traffic } from './traffic.ts'

export interface ViewerRtcpOptions {
  video: LineSender | undefined
  audio: LineSender | undefined
  /** Is told what the viewer says of the link. */
  estimate: LinkEstimate
  /** Counts what the viewer asks for. */
  traffic: Traffic
  requestKeyframe(sender: LineSender): void
  send(mid: string, bytes: Uint8Array): void
}

const reportMs = 1_000

/** RTCP between us and one viewer: its feedback on our tracks, and our sender reports. */
export class ViewerRtcp {
  /** What the viewer says of the picture and of the sound. */
  readonly remote = { video: new RemoteReport(), audio: new RemoteReport() }
  readonly #options: ViewerRtcpOptions
  #reportAtMs = Number.NEGATIVE_INFINITY
  #linkHeard = false

  constructor(options: ViewerRtcpOptions) {
    this.#options = options
  }

  /** Whether the viewer has said anything of the link. */
  get linkHeard(): boolean {
    return this.#linkHeard
  }

  /** RTCP of the viewer on one of our tracks. False where the track is none of ours. */
  received(mid: string, bytes: Uint8Array, nowMs: number): boolean {
    const { video, audio } = this.#options
    const sender = audio?.track.mid === mid ? audio : video?.track.mid === mid ? video : undefined
    if (!sender) return false
    // A compound packet reaches every track it names: each takes what names its own source.
    for (const packet of parseRtcp(bytes)) this.#feedback(sender, packet, nowMs)
    return true
  }

  #feedback(sender: LineSender, packet: RtcpPacket, nowMs: number): void {
    const { estimate, traffic } = this.#options
    const { ssrc, rtx } = sender.track
    switch (packet.type) {
      case 'nack':
        if (packet.media !== ssrc) return
        traffic.nacks++
        sender.resend(packet.lost, nowMs)
        return
      case 'pli':
        if (packet.media !== ssrc) return
        traffic.plis++
        this.#options.requestKeyframe(sender)
        return
      case 'fir':
        if (!packet.requests.some((request) => request.ssrc === ssrc)) return
        traffic.firs++
        this.#options.requestKeyframe(sender)
        return
      case 'twcc':
        // It names the source of whichever packet came last: of a repetition too.
        if (packet.media !== ssrc && packet.media !== rtx?.ssrc) return
        this.#linkHeard = true
        estimate.feedback(packet, nowMs)
        return
      case 'rr':
      case 'sr':
        for (const block of packet.reports) if (block.ssrc === ssrc) this.#reported(sender, block, nowMs)
    }
  }

  #reported(sender: LineSender, block: ReportBlock, nowMs: number): void {
    if (sender.line) this.#remoteOf(sender).heard(block, sender.line.format.clockRate, nowMs)
    if (sender.track.transportCcId !== undefined) return
    this.#linkHeard = true
    this.#options.estimate.report(block, nowMs)
  }

  #remoteOf(sender: LineSender): RemoteReport {
    return sender === this.#options.video ? this.remote.video : this.remote.audio
  }

  /** Sends the sender reports that are due. To be called with each packet. */
  report(nowMs: number): void {
    if (nowMs - this.#reportAtMs < reportMs) return
    this.#reportOn(this.#options.audio, nowMs)
    this.#reportOn(this.#options.video, nowMs)
  }

  #reportOn(sender: LineSender | undefined, nowMs: number): void {
    const report = sender?.senderReport(nowMs)
    if (!sender || !report) return
    this.#reportAtMs = nowMs
    this.#remoteOf(sender).sent(report.ntp, nowMs)
    const cname = { type: 'sdes' as const, chunks: [{ ssrc: report.ssrc, cname: 'porchlight' }] }
    this.#options.send(sender.track.mid, writeRtcp([report, cname]))
  }
}
