import { parseRtcp, type RtcpPacket } from '@porchlight/proto/media/rtcp.ts'
import type { MediaLine } from '../engine.ts'

/** Which line a packet of the peer's belongs to. */
export class MediaLines {
  readonly #media: readonly MediaLine[]
  readonly #bySsrc = new Map<number, string>()

  constructor(media: readonly MediaLine[]) {
    this.#media = media
    for (const { ssrc, mid } of media) if (ssrc !== undefined) this.#bySsrc.set(ssrc, mid)
  }

  has(mid: string): boolean {
    return this.#media.some((line) => line.mid === mid)
  }

  /** The sources that the peer announces, with their lines. Ours stay ours. */
  announce(ssrcs: ReadonlyMap<number, string>): void {
    for (const [ssrc, mid] of ssrcs) if (!this.#bySsrc.has(ssrc) && this.has(mid)) this.#bySsrc.set(ssrc, mid)
  }

  /** By the announced source; undefined where the peer may not send on the line. @param packet a valid RTP packet */
  ofRtp(packet: Buffer): string | undefined {
    const mid = this.#bySsrc.get(packet.readUInt32BE(8))
    return this.#media.find((line) => line.mid === mid)?.direction === 'recvonly' ? mid : undefined
  }

  /** The line of the first source that is ours or announced. */
  ofRtcp(compound: Buffer): string | undefined {
    for (const packet of parseRtcp(compound)) {
      for (const ssrc of sourcesOf(packet)) {
        const mid = this.#bySsrc.get(ssrc)
        if (mid !== undefined) return mid
      }
    }
    return undefined
  }
}

function sourcesOf(packet: RtcpPacket): number[] {
  switch (packet.type) {
    case 'sr':
    case 'rr':
      return [packet.ssrc, ...packet.reports.map((report) => report.ssrc)]
    case 'sdes':
      return packet.chunks.map((chunk) => chunk.ssrc)
    case 'bye':
    case 'remb':
      return packet.ssrcs
    case 'fir':
      return packet.requests.map((request) => request.ssrc)
    default:
      return [packet.media]
  }
}
