import type { SenderReport } from '@porchlight/proto/media/rtcp.ts'
import { LineOutput } from './line-output.ts'
import type { MediaLine } from './media-line.ts'
import type { MediaPacket } from './packet-ring.ts'
import type { SenderLink, SenderTrack } from './sender-link.ts'
import { decideBacklog } from './squeeze.ts'
import { ViewerTime } from './viewer-time.ts'

/**
 * The first picture goes out whole as long as it is no larger than this, bytes: before its last packet nobody sees anything,
 * and what is sent too fast waits on the link instead of here. Receivers' sockets hold about twice as much.
 */
const mostFirstPicture = 128_000

/**
 * One line towards one viewer: a cursor into the producer's packets. It says which packet goes next, or is left out;
 * ViewerTime says with which timestamp, LineOutput under which number.
 */
export class LineSender {
  readonly track: SenderTrack
  readonly #link: SenderLink
  readonly #output: LineOutput
  readonly #time = new ViewerTime()
  #line: MediaLine | undefined
  /** Next packet to send; undefined: waiting for a keyframe after `#waitFrom`. */
  #cursor: number | undefined
  #waitFrom = 0
  #jumps = 0
  /** What of the first picture may leave ahead of the pace, bytes. */
  #ahead = mostFirstPicture

  constructor(track: SenderTrack, link: SenderLink) {
    this.track = track
    this.#link = link
    this.#output = new LineOutput(track, link)
  }

  get line(): MediaLine | undefined {
    return this.#line
  }

  get resent(): number {
    return this.#output.resent
  }

  /** How often pictures were left out to keep up. */
  get jumps(): number {
    return this.#jumps
  }

  /** Whether the first keyframe is still to come, and somebody should ask for it. */
  get needsKeyframe(): boolean {
    return this.#line !== undefined && this.#line.format.kind === 'video' && this.#cursor === undefined
  }

  /** Takes a line of another producer as the source; times go on where those of an earlier line ended. */
  attach(line: MediaLine | undefined, nowMs: number): void {
    this.#time.leave(this.#line?.clock, nowMs)
    this.#begin(line)
  }

  /** Goes over to another layer of the same picture at its kept keyframe: what is captured at one moment keeps its time. */
  switchTo(line: MediaLine, nowMs: number): void {
    const before = this.#line
    if (!before?.clock.exact || !line.clock.exact) {
      this.attach(line, nowMs)
      return
    }
    this.#time.carryOver(before.clock, line.clock, nowMs)
    this.#begin(line)
  }

  #begin(line: MediaLine | undefined): void {
    const start = line?.format.kind === 'video' ? line.cache.start : undefined
    this.#line = line
    this.#output.begin(line?.cache.ring)
    this.#time.begin(start !== undefined)
    this.#cursor = start
    if (!line) return
    const { head } = line.cache.ring
    this.#waitFrom = head + 1
    if (line.format.kind === 'audio' && head >= 0) this.#cursor = head + 1
  }

  /** A packet has come to the line: what is late goes out at once under the number kept for it. */
  arrived(packet: MediaPacket, nowMs: number): void {
    if (this.#cursor === undefined && this.#line?.format.kind === 'audio') this.#cursor = packet.ext
    if (this.#cursor === undefined || packet.ext >= this.#cursor) return
    this.#output.sendLate(packet, this.#time.timestampOf(packet), nowMs)
  }

  /** Sends what may be sent; true where something is left to send that only the budget holds back. */
  pump(nowMs: number): boolean {
    const line = this.#line
    if (!line) return false
    const ring = line.cache.ring
    const video = line.format.kind === 'video'
    if (this.#cursor === undefined) this.#findKeyframe(line)
    while (this.#cursor !== undefined && this.#cursor <= ring.head) {
      if (this.#cursor < ring.oldest) {
        // The reader has been lapped: start anew.
        this.#restart(line)
        continue
      }
      const packet = ring.get(this.#cursor)
      if (!packet) {
        this.#output.keepHole(this.#cursor)
        this.#cursor++
        continue
      }
      if (packet.payload.length === 0 || (video && line.reordered && packet.droppable)) {
        this.#cursor++
        continue
      }
      if (video && this.#ahead <= 0 && this.#link.budget() <= 0) return true
      if (!this.#time.inFrame(packet) && !this.#beginFrame(line, packet, nowMs)) continue
      const sequence = this.#output.send(packet, this.#time.timestamp, nowMs)
      if (video && this.#ahead > 0) this.#ahead = packet.marker ? 0 : this.#ahead - packet.payload.length
      // One packet later, so that one gap does not take both.
      if (!video && !this.track.asksAgain && this.#link.soundTwice) this.#output.again((sequence - 1) & 0xffff, nowMs)
      this.#cursor++
    }
    return false
  }

  /** False where the cursor was moved elsewhere. */
  #beginFrame(line: MediaLine, packet: MediaPacket, nowMs: number): boolean {
    const { ring } = line.cache
    this.#time.resume(line, nowMs)
    const last = ring.get(ring.head)?.timestamp === packet.timestamp
    const late = line.format.kind === 'video' && !last && !packet.keyframe
    if (late && !this.#keepUp(line, packet.ext)) return false
    this.#time.beginFrame(line, packet, last, nowMs)
    return true
  }

  #keepUp(line: MediaLine, cursor: number): boolean {
    const { ring, start, msToNextKeyframe } = line.cache
    const packetBytes = ring.bytes / Math.max(1, ring.head - ring.oldest + 1)
    const newerKeyframe = start !== undefined && start > cursor
    const decision = decideBacklog({
      bytes: (ring.head - cursor + 1) * packetBytes,
      rate: this.#link.rate,
      streamRate: line.bytesPerMs,
      probing: this.#link.probing,
      newerKeyframe,
      bytesToKeyframe: newerKeyframe ? (start - cursor) * packetBytes : 0,
      msToNextKeyframe,
    })
    if (decision === 'send') return true
    this.#jumps++
    if (decision === 'jump') this.#cursor = start
    else {
      this.#cursor = undefined
      this.#waitFrom = cursor
    }
    return false
  }

  #findKeyframe(line: MediaLine): void {
    const { start } = line.cache
    if (line.format.kind === 'video' && start !== undefined && start >= this.#waitFrom) this.#cursor = start
  }

  #restart(line: MediaLine): void {
    const { start, ring } = line.cache
    this.#jumps++
    this.#output.forgetHoles()
    if (line.format.kind === 'audio') this.#cursor = ring.head
    else if (start !== undefined) this.#cursor = start
    else {
      this.#cursor = undefined
      this.#waitFrom = ring.head + 1
    }
  }

  /** Answers a NACK as far as the pace allows. @param lost sequence numbers as the viewer saw them */
  resend(lost: readonly number[], nowMs: number): void {
    this.#output.resend(lost, nowMs)
  }

  /** Whether the viewer takes repetitions that it has not asked for (RFC 4588). */
  get canProbe(): boolean {
    return this.#output.canProbe
  }

  /** Sends about so many bytes beside the media, to try the link: the newest packets again, else padding. */
  probe(bytes: number, nowMs: number): void {
    this.#output.probe(bytes, this.#time.timestamp, nowMs)
  }

  /** Ties the unsqueezed time line to the camera's capture clock; undefined before the first packet. */
  senderReport(nowMs: number): SenderReport | undefined {
    const line = this.#line
    const { packets, octets } = this.#output
    if (!line?.clock.ready || packets === 0) return undefined
    return {
      type: 'sr',
      ssrc: this.track.ssrc,
      ...this.#time.report(line, nowMs),
      packets: packets % 2 ** 32,
      octets: octets % 2 ** 32,
      reports: [],
    }
  }
}
