import { randomInt } from 'node:crypto'
import { markPadded } from '@porchlight/proto/media/rtp.ts'
import { fullHeader, type MediaPacket, type PacketRing, plainHeader } from './packet-ring.ts'
import { paddingBytes, rtxBytes, writeHeader, writeTransportSequence } from './rtp-header.ts'
import type { SenderLink, SenderTrack } from './sender-link.ts'
import { SentHistory } from './sent-history.ts'

/** Holes whose number is kept for a packet that comes late. */
const mostHoles = 512
/** Repetitions go out ahead of the pace by so much, ms. */
const mostDebtMs = 30
/** The link is tried with so many of the newest packets. */
const probePackets = 64

/**
 * The way of one line's packets to one viewer: it numbers them, writes their headers, and sends them again. Packets are
 * shared with every other viewer; only their header's room is written. Timestamps are unwrapped, as the viewer gets them.
 */
export class LineOutput {
  readonly #track: SenderTrack
  readonly #link: SenderLink
  readonly #history = new SentHistory()
  /** Numbers kept for packets that have not come, by the producer's number. */
  readonly #holes = new Map<number, number>()
  #ring: PacketRing | undefined
  #sequence = randomInt(0, 0x8000)
  #rtxSequence = randomInt(0, 0x8000)
  #packets = 0
  #octets = 0
  #resent = 0
  #probed = 0

  constructor(track: SenderTrack, link: SenderLink) {
    this.#track = track
    this.#link = link
  }

  get packets(): number {
    return this.#packets
  }

  /** Of payload. */
  get octets(): number {
    return this.#octets
  }

  get resent(): number {
    return this.#resent
  }

  /** Packets come from another line now; numbers go on. @param ring of that line */
  begin(ring: PacketRing | undefined): void {
    this.#ring = ring
    this.#history.clear()
    this.#holes.clear()
  }

  /** Sends a packet for the first time. @returns its number */
  send(packet: MediaPacket, timestamp: number, nowMs: number): number {
    const sequence = this.#nextSequence()
    this.#emit(sequence, packet, timestamp, nowMs)
    return sequence
  }

  /** Keeps a number for a packet that has not come yet. @param ext the producer's number */
  keepHole(ext: number): void {
    const sequence = this.#nextSequence()
    this.#history.skipped(sequence)
    this.#holes.set(ext, sequence)
    if (this.#holes.size > mostHoles) this.#holes.delete(this.#holes.keys().next().value ?? 0)
  }

  /** What has not come by now is left out. */
  forgetHoles(): void {
    this.#holes.clear()
  }

  /** Sends a packet under the number that was kept for it; not, where there is none. */
  sendLate(packet: MediaPacket, timestamp: number, nowMs: number): void {
    const sequence = this.#holes.get(packet.ext)
    if (sequence === undefined) return
    this.#holes.delete(packet.ext)
    this.#emit(sequence, packet, timestamp, nowMs)
  }

  #emit(sequence: number, packet: MediaPacket, timestamp: number, nowMs: number): void {
    const track = this.#track
    const transport = this.#nextTransportSequence()
    this.#history.note(sequence, packet.ext, timestamp, transport, nowMs)
    this.#link.send(track, this.#write(packet, sequence, timestamp, transport), transport)
  }

  /** Answers a NACK as far as the pace allows. @param lost sequence numbers as the viewer saw them */
  resend(lost: readonly number[], nowMs: number): void {
    for (const sequence of lost.slice(0, 256)) {
      // What does not fit is asked for again: on a link that became thin repetitions must not fill it alone.
      if (this.#link.budget() < -mostDebtMs * this.#link.rate) return
      this.again(sequence, nowMs)
    }
  }

  /** Sends what went under a number once more, where it is still there and was not sent a moment ago. @returns bytes sent */
  again(sequence: number, nowMs: number): number {
    const sent = this.#history.again(sequence, this.#ring, nowMs)
    if (!sent) return 0
    this.#resent++
    const { packet, timestamp } = sent
    const track = this.#track
    if (!track.rtx) {
      const same = this.#write(packet, sequence, timestamp, sent.transport)
      this.#link.sendAgain(track, same, sent.transport)
      return same.length
    }
    const transport = this.#nextTransportSequence()
    const bytes = rtxBytes(packet.payload, sequence, transport === undefined ? plainHeader : fullHeader)
    const own = this.#nextRtxSequence()
    this.#writeHeader(bytes, track.rtx.payloadType, packet.marker, own, timestamp, track.rtx.ssrc, transport)
    this.#link.send(track, bytes, transport)
    return bytes.length
  }

  /** Whether the viewer takes repetitions that it has not asked for (RFC 4588). */
  get canProbe(): boolean {
    return this.#track.rtx !== undefined
  }

  /**
   * Sends about so many bytes beside the media, to try the link: the newest packets again, else padding.
   * @param timestamp of the padding
   */
  probe(bytes: number, timestamp: number, nowMs: number): void {
    if (!this.canProbe) return
    let left = bytes
    for (let tries = 0; left > 0 && tries < probePackets; tries++) {
      this.#probed = (this.#probed % probePackets) + 1
      left -= this.again((this.#sequence - this.#probed) & 0xffff, nowMs)
    }
    while (left > 0) left -= this.#pad(timestamp)
  }

  /** Padding goes where repetitions go (RFC 4588 has no word against it, and libwebrtc does the same). @returns bytes sent */
  #pad(timestamp: number): number {
    const track = this.#track
    const { rtx } = track
    if (!rtx) return 0
    const transport = this.#nextTransportSequence()
    const bytes = paddingBytes(transport === undefined ? plainHeader : fullHeader)
    this.#writeHeader(bytes, rtx.payloadType, false, this.#nextRtxSequence(), timestamp, rtx.ssrc, transport)
    markPadded(bytes)
    this.#link.send(track, bytes, transport)
    return bytes.length
  }

  #write(packet: MediaPacket, sequence: number, timestamp: number, transport: number | undefined): Uint8Array {
    const track = this.#track
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
    const { transportCcId } = this.#track
    if (transportCcId !== undefined && transport !== undefined) {
      writeTransportSequence(bytes, transportCcId, transport)
    }
  }

  #nextSequence(): number {
    const sequence = this.#sequence
    this.#sequence = (sequence + 1) & 0xffff
    return sequence
  }

  #nextRtxSequence(): number {
    const sequence = this.#rtxSequence
    this.#rtxSequence = (sequence + 1) & 0xffff
    return sequence
  }

  /** Undefined where the viewer has not negotiated such numbers. */
  #nextTransportSequence(): number | undefined {
    return this.#track.transportCcId === undefined ? undefined : this.#link.nextTransportSequence()
  }
}
