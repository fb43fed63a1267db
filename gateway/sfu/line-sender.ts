import { randomInt } from 'node:crypto'
import type { SenderReport } from '@porchlight/proto/media/rtcp.ts'
import { ntpFromMs } from '@porchlight/proto/media/rtp.ts'
import type { MediaLine } from './media-line.ts'
import { fullHeader, type MediaPacket, plainHeader } from './packet-ring.ts'
import { paddingBytes, rtxBytes, writeHeader, writeTransportSequence } from './rtp-header.ts'
import type { SenderLink, SenderTrack } from './sender-link.ts'
import { SentHistory } from './sent-history.ts'
import { decideBacklog, leastStep, squeezedTimestamp } from './squeeze.ts'

/** Holes whose number is kept for a packet that comes late. */
const mostHoles = 512
const mostFrameTimes = 512
/** Repetitions go out ahead of the pace by so much, ms. */
const mostDebtMs = 30
/** The link is tried with so many of the newest packets. */
const probePackets = 64

/**
 * One line towards one viewer: a cursor into the producer's packets, and the rewriting of number, timestamp, SSRC,
 * payload type and extensions. Packets are shared with every other viewer; only their header's room is written.
 */
export class LineSender {
  readonly track: SenderTrack
  readonly #link: SenderLink
  readonly #history = new SentHistory()
  readonly #holes = new Map<number, number>()
  /** Squeezed times by natural time, for packets of a frame that come late. */
  readonly #frameTimes = new Map<number, number>()
  #line: MediaLine | undefined
  /** Next packet to send; undefined: waiting for a keyframe after `#waitFrom`. */
  #cursor: number | undefined
  #waitFrom = 0
  #squeezing = false
  #natural: number | undefined
  #timestamp = 0
  #previous: number | undefined
  #offset = 0
  /** Where the viewer's time line stood when its producer went. */
  #resume: { timestamp: number; atMs: number } | undefined
  #sequence = randomInt(0, 0x8000)
  #rtxSequence = randomInt(0, 0x8000)
  #packets = 0
  #octets = 0
  #jumps = 0
  #resent = 0
  #probed = 0

  constructor(track: SenderTrack, link: SenderLink) {
    this.track = track
    this.#link = link
  }

  get line(): MediaLine | undefined {
    return this.#line
  }

  get packets(): number {
    return this.#packets
  }

  get octets(): number {
    return this.#octets
  }

  get resent(): number {
    return this.#resent
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
    const before = this.#line
    // A new producer has another time line: the viewer's goes on from where it would be by now.
    if (before?.clock.ready && this.#previous !== undefined) {
      const live = Math.max(before.clock.live(nowMs), this.#previous + leastStep)
      this.#resume = { timestamp: live + this.#offset, atMs: nowMs }
    }
    this.#previous = undefined
    this.#begin(line)
  }

  /** Goes over to another layer of the same picture at its kept keyframe: what is captured at one moment keeps its time. */
  switchTo(line: MediaLine, nowMs: number): void {
    const before = this.#line
    if (!before?.clock.exact || !line.clock.exact) {
      this.attach(line, nowMs)
      return
    }
    const captureMs = before.clock.captureMs(before.clock.live(nowMs))
    const offset = Math.round(this.#offset + before.clock.timestampAt(captureMs) - line.clock.timestampAt(captureMs))
    if (this.#previous !== undefined) this.#previous += this.#offset - offset
    this.#offset = offset
    this.#begin(line)
  }

  #begin(line: MediaLine | undefined): void {
    this.#line = line
    this.#history.clear()
    this.#holes.clear()
    this.#frameTimes.clear()
    this.#natural = undefined
    this.#cursor = undefined
    if (!line) return
    const head = line.cache.ring.head
    this.#waitFrom = head + 1
    if (line.format.kind === 'audio') this.#cursor = head < 0 ? undefined : head + 1
    else if (line.cache.start !== undefined) {
      this.#cursor = line.cache.start
      this.#squeezing = true
    }
  }

  /** A packet has come to the line: what is late goes out at once under the number kept for it. */
  arrived(packet: MediaPacket, nowMs: number): void {
    if (this.#cursor === undefined && this.#line?.format.kind === 'audio') {
      this.#cursor = packet.ext
    }
    if (this.#cursor === undefined || packet.ext >= this.#cursor) return
    const sequence = this.#holes.get(packet.ext)
    if (sequence === undefined) return
    this.#holes.delete(packet.ext)
    const timestamp = this.#frameTimes.get(packet.timestamp) ?? packet.timestamp
    this.#emit(packet, sequence, timestamp, nowMs)
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
        this.#keepHole(this.#cursor)
        this.#cursor++
        continue
      }
      if (packet.payload.length === 0 || (video && line.reordered && packet.droppable)) {
        this.#cursor++
        continue
      }
      if (video && this.#link.budget() <= 0) return true
      if (packet.timestamp !== this.#natural && !this.#beginFrame(line, packet, nowMs)) continue
      const sequence = this.#nextSequence()
      this.#emit(packet, sequence, this.#timestamp, nowMs)
      // One packet later, so that one gap does not take both.
      if (!video && !this.track.asksAgain && this.#link.soundTwice) this.#again((sequence - 1) & 0xffff, nowMs)
      this.#cursor++
    }
    return false
  }

  /** False where the cursor was moved elsewhere. */
  #beginFrame(line: MediaLine, packet: MediaPacket, nowMs: number): boolean {
    const ring = line.cache.ring
    const cursor = packet.ext
    if (this.#resume) this.#continueTime(line, nowMs)
    const newest = ring.get(ring.head)
    const last = newest?.timestamp === packet.timestamp
    if (line.format.kind === 'video') {
      if (!last && !packet.keyframe && !this.#keepUp(line, cursor)) return false
      const live = line.clock.live(nowMs)
      const time = squeezedTimestamp({
        natural: packet.timestamp,
        live,
        previous: this.#previous,
        squeezing: this.#squeezing,
        last,
      })
      this.#squeezing = time.squeezing
      this.#timestamp = time.timestamp
      if (time.timestamp !== packet.timestamp) this.#keepFrameTime(packet.timestamp, time.timestamp)
    } else this.#timestamp = packet.timestamp
    this.#natural = packet.timestamp
    this.#previous = Math.max(this.#previous ?? this.#timestamp, this.#timestamp)
    return true
  }

  #continueTime(line: MediaLine, nowMs: number): void {
    const { timestamp, atMs } = this.#resume!
    this.#resume = undefined
    const elapsed = ((nowMs - atMs) / 1000) * line.format.clockRate
    // In whole ticks, and a frame ahead, because the first frame may be older than the moment it arrives at.
    this.#offset = Math.ceil(timestamp + elapsed - line.clock.live(nowMs)) + line.format.clockRate / 25
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
    if (line.format.kind === 'audio') return
    const { start } = line.cache
    if (start === undefined || start < this.#waitFrom) return
    this.#cursor = start
  }

  #restart(line: MediaLine): void {
    const { start, ring } = line.cache
    this.#jumps++
    this.#holes.clear()
    if (line.format.kind === 'audio') this.#cursor = ring.head
    else if (start !== undefined) this.#cursor = start
    else {
      this.#cursor = undefined
      this.#waitFrom = ring.head + 1
    }
  }

  #keepHole(ext: number): void {
    const sequence = this.#nextSequence()
    this.#history.skipped(sequence)
    this.#holes.set(ext, sequence)
    if (this.#holes.size > mostHoles) this.#holes.delete(this.#holes.keys().next().value ?? 0)
  }

  #keepFrameTime(natural: number, timestamp: number): void {
    this.#frameTimes.set(natural, timestamp)
    if (this.#frameTimes.size > mostFrameTimes) this.#frameTimes.delete(this.#frameTimes.keys().next().value ?? 0)
  }

  #nextSequence(): number {
    const sequence = this.#sequence
    this.#sequence = (sequence + 1) & 0xffff
    return sequence
  }

  /** Sends a packet for the first time. @param natural unwrapped, without the offset */
  #emit(packet: MediaPacket, sequence: number, natural: number, nowMs: number): void {
    const { track } = this
    const timestamp = natural + this.#offset
    const transport = track.transportCcId === undefined ? undefined : this.#link.nextTransportSequence()
    this.#history.note(sequence, packet.ext, timestamp, transport, nowMs)
    this.#link.send(track, this.#write(packet, sequence, timestamp, transport), transport)
  }

  /** @param timestamp as sent, unwrapped */
  #write(packet: MediaPacket, sequence: number, timestamp: number, transport: number | undefined): Uint8Array {
    const { track } = this
    this.#packets++
    this.#octets += packet.payload.length
    const bytes = transport === undefined ? packet.bare : packet.wire
    this.#writeHeader(bytes, track.payloadType, packet.marker, sequence, timestamp, track.ssrc, transport)
    return bytes
  }

  #writeHeader(
    bytes: Uint8Array,
    payloadType: number,
    marker: boolean,
    sequence: number,
    timestamp: number,
    ssrc: number,
    transport: number | undefined,
  ): void {
    writeHeader(bytes, payloadType, marker, sequence, timestamp % 2 ** 32, ssrc)
    const { transportCcId } = this.track
    if (transportCcId !== undefined && transport !== undefined) {
      writeTransportSequence(bytes, transportCcId, transport)
    }
  }

  /** Answers a NACK as far as the pace allows. @param lost sequence numbers as the viewer saw them */
  resend(lost: readonly number[], nowMs: number): void {
    for (const sequence of lost.slice(0, 256)) {
      // What does not fit is asked for again: on a link that became thin repetitions must not fill it alone.
      if (this.#link.budget() < -mostDebtMs * this.#link.rate) return
      this.#again(sequence, nowMs)
    }
  }

  /** Whether the viewer takes repetitions that it has not asked for (RFC 4588). */
  get canProbe(): boolean {
    return this.track.rtx !== undefined
  }

  /** Sends about so many bytes beside the media, to try the link: the newest packets again, else padding. */
  probe(bytes: number, nowMs: number): void {
    if (!this.canProbe) return
    let left = bytes
    for (let tries = 0; left > 0 && tries < probePackets; tries++) {
      this.#probed = (this.#probed % probePackets) + 1
      left -= this.#again((this.#sequence - this.#probed) & 0xffff, nowMs)
    }
    while (left > 0) left -= this.#pad()
  }

  /** Padding goes where repetitions go (RFC 4588 has no word against it, and libwebrtc does the same). @returns bytes sent */
  #pad(): number {
    const { track } = this
    const { rtx } = track
    if (!rtx) return 0
    const transport = track.transportCcId === undefined ? undefined : this.#link.nextTransportSequence()
    const bytes = paddingBytes(transport === undefined ? plainHeader : fullHeader)
    const timestamp = this.#timestamp + this.#offset
    this.#writeHeader(bytes, rtx.payloadType, false, this.#nextRtxSequence(), timestamp, rtx.ssrc, transport)
    bytes[0]! |= 0x20
    this.#link.send(track, bytes, transport)
    return bytes.length
  }

  #nextRtxSequence(): number {
    const sequence = this.#rtxSequence
    this.#rtxSequence = (sequence + 1) & 0xffff
    return sequence
  }

  /** @returns bytes sent */
  #again(sequence: number, nowMs: number): number {
    const sent = this.#history.again(sequence, this.#line?.cache.ring, nowMs)
    if (!sent) return 0
    this.#resent++
    const { packet, timestamp } = sent
    const { track } = this
    if (!track.rtx) {
      const same = this.#write(packet, sequence, timestamp, sent.transport)
      this.#link.sendAgain(track, same, sent.transport)
      return same.length
    }
    const transport = track.transportCcId === undefined ? undefined : this.#link.nextTransportSequence()
    const bytes = rtxBytes(packet.payload, sequence, transport === undefined ? plainHeader : fullHeader)
    const own = this.#nextRtxSequence()
    this.#writeHeader(bytes, track.rtx.payloadType, packet.marker, own, timestamp, track.rtx.ssrc, transport)
    this.#link.send(track, bytes, transport)
    return bytes.length
  }

  /** Ties the unsqueezed time line to the camera's capture clock; undefined before the first packet. */
  senderReport(nowMs: number): SenderReport | undefined {
    const clock = this.#line?.clock
    if (!clock?.ready || this.#packets === 0) return undefined
    const live = Math.round(clock.live(nowMs))
    return {
      type: 'sr',
      ssrc: this.track.ssrc,
      ntp: ntpFromMs(clock.captureMs(live)),
      rtp: (live + this.#offset) % 2 ** 32,
      packets: this.#packets % 2 ** 32,
      octets: this.#octets % 2 ** 32,
      reports: [],
    }
  }
}
