import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp, parseRtp, SequenceUnwrapper } from '@porchlight/proto/media/rtp.ts'
import { transportCcUri } from '@porchlight/proto/media/rtp-extensions.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import type { Track } from 'node-datachannel'
import { ArrivalFeedback } from '../../../gateway/sfu/arrival-feedback.ts'
import { ReceiveReport } from '../../../gateway/sfu/receive-report.ts'

const feedbackMs = 100
const reportsMs = 1_000
const ownSsrc = 77

export interface Counts {
  /** RTP packets, and their bytes. */
  received: number
  bytes: number
  /** Packets that were sent, by their sequence numbers, and did not come. */
  lost: number
}

interface Source {
  unwrapper: SequenceUnwrapper
  report: ReceiveReport
  track: Track
}

/** One viewer that looks at headers only, and answers as a browser does: receiver reports and transport-wide feedback. */
export class Receiver {
  readonly #sources = new Map<number, Source>()
  readonly #feedback = new ArrivalFeedback()
  readonly #transportCcId: number | undefined
  readonly #timers: NodeJS.Timeout[]
  #received = 0
  #bytes = 0

  /** @param sdp the other side's, for the id of the transport-wide number */
  constructor(sdp: string) {
    const extensions = parseSdp(sdp).media.flatMap(({ extmaps }) => extmaps)
    this.#transportCcId = extensions.find(({ uri }) => uri === transportCcUri)?.id
    this.#timers = [setInterval(() => this.#tellArrivals(), feedbackMs), setInterval(() => this.#report(), reportsMs)]
  }

  get counts(): Counts {
    const lost = [...this.#sources.values()].reduce((sum, { report }) => sum + (report.lost ?? 0), 0)
    return { received: this.#received, bytes: this.#bytes, lost }
  }

  /** Listens to a line. */
  take(track: Track): void {
    track.onMessage((bytes) => {
      if (!isRtcp(bytes)) this.#packet(track, bytes)
    })
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  #packet(track: Track, bytes: Uint8Array): void {
    const packet = parseRtp(bytes)
    if (packet === undefined) return
    const nowMs = performance.now()
    let source = this.#sources.get(packet.ssrc)
    if (source === undefined) {
      source = { unwrapper: new SequenceUnwrapper(), report: new ReceiveReport(90_000), track }
      this.#sources.set(packet.ssrc, source)
    }
    source.report.arrived(source.unwrapper.unwrap(packet.sequence), packet.timestamp, nowMs)
    this.#received++
    this.#bytes += bytes.length
    const number = packet.extensions.find(({ id }) => id === this.#transportCcId)?.data
    if (number?.length === 2) this.#feedback.arrived((number[0]! << 8) | number[1]!, nowMs)
  }

  #tellArrivals(): void {
    const [media, source] = this.#sources.entries().next().value ?? []
    if (media === undefined || source === undefined) return
    const feedback = this.#feedback.take(ownSsrc, media)
    if (feedback) send(source.track, writeRtcp([feedback]))
  }

  #report(): void {
    const nowMs = performance.now()
    for (const [ssrc, { report, track }] of this.#sources) {
      const block = report.take(ssrc, nowMs)
      if (block) send(track, writeRtcp([{ type: 'rr', ssrc: ownSsrc, reports: [block] }]))
    }
  }
}

function send(track: Track, bytes: Uint8Array): void {
  if (track.isOpen()) track.sendMessageBinary(Buffer.from(bytes))
}
