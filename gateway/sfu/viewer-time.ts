import type { SenderReport } from '@porchlight/proto/media/rtcp.ts'
import { ntpFromMs } from '@porchlight/proto/media/rtp.ts'
import type { LineClock } from './line-clock.ts'
import type { MediaLine } from './media-line.ts'
import type { MediaPacket } from './packet-ring.ts'
import { leastStep, squeezedTimestamp } from './squeeze.ts'

const mostFrameTimes = 512
/**
 * Sound is told to be so much younger than it is, ms: players hold it longer than a picture, and pictures need not wait for
 * all of that. Nobody notices sound that is up to 125 ms late (ITU-R BT.1359-1).
 */
const soundBehindMs = 60

/**
 * The time line of one viewer's line: it goes on over producers and layers, and is squeezed where pictures are sent late.
 * What it gives out is unwrapped, in ticks of the line.
 */
export class ViewerTime {
  /** Squeezed times by natural time, for packets of a frame that come late. */
  readonly #frameTimes = new Map<number, number>()
  #squeezing = false
  /** Natural and squeezed time of the frame that is being sent, both on the producer's time line. */
  #natural: number | undefined
  #timestamp = 0
  #previous: number | undefined
  /** From the producer's time line to the viewer's. */
  #offset = 0
  /** Where the viewer's time line stood when its producer went. */
  #resume: { timestamp: number; atMs: number } | undefined

  /** The line of another producer comes: the viewer's time goes on from where it would be by now. */
  leave(before: LineClock | undefined, nowMs: number): void {
    if (before?.ready && this.#previous !== undefined) {
      const live = Math.max(before.live(nowMs), this.#previous + leastStep)
      this.#resume = { timestamp: live + this.#offset, atMs: nowMs }
    }
    this.#previous = undefined
  }

  /** Another layer of the same picture comes: what is captured at one moment keeps its time. Both clocks must be exact. */
  carryOver(before: LineClock, after: LineClock, nowMs: number): void {
    const captureMs = before.captureMs(before.live(nowMs))
    const offset = Math.round(this.#offset + before.timestampAt(captureMs) - after.timestampAt(captureMs))
    if (this.#previous !== undefined) this.#previous += this.#offset - offset
    this.#offset = offset
  }

  /** Frames come from another line now. @param late those of a kept group come first */
  begin(late: boolean): void {
    this.#frameTimes.clear()
    this.#natural = undefined
    if (late) this.#squeezing = true
  }

  /** To be called before the first frame after `leave`: ties the line's time to where the viewer's stood. */
  resume(line: MediaLine, nowMs: number): void {
    if (!this.#resume) return
    const { timestamp, atMs } = this.#resume
    this.#resume = undefined
    const elapsed = ((nowMs - atMs) / 1000) * line.format.clockRate
    // In whole ticks, and a frame ahead, because the first frame may be older than the moment it arrives at.
    this.#offset = Math.ceil(timestamp + elapsed - line.clock.live(nowMs)) + line.format.clockRate / 25
  }

  /** Whether the packet belongs to the frame that is being sent. */
  inFrame(packet: MediaPacket): boolean {
    return packet.timestamp === this.#natural
  }

  /** The packet is the first of a frame to be sent. @param last no further frame waits behind it */
  beginFrame(line: MediaLine, packet: MediaPacket, last: boolean, nowMs: number): void {
    const natural = packet.timestamp
    if (line.format.kind === 'video') {
      const live = line.clock.live(nowMs)
      const time = squeezedTimestamp({ natural, live, previous: this.#previous, squeezing: this.#squeezing, last })
      this.#squeezing = time.squeezing
      this.#timestamp = time.timestamp
      if (time.timestamp !== natural) this.#keepFrameTime(natural, time.timestamp)
    } else this.#timestamp = natural
    this.#natural = natural
    this.#previous = Math.max(this.#previous ?? this.#timestamp, this.#timestamp)
  }

  #keepFrameTime(natural: number, timestamp: number): void {
    this.#frameTimes.set(natural, timestamp)
    if (this.#frameTimes.size > mostFrameTimes) this.#frameTimes.delete(this.#frameTimes.keys().next().value ?? 0)
  }

  /** Timestamp of the frame that is being sent. */
  get timestamp(): number {
    return this.#timestamp + this.#offset
  }

  /** Timestamp of a packet that comes late: that of its frame, which has gone already. */
  timestampOf(late: MediaPacket): number {
    return (this.#frameTimes.get(late.timestamp) ?? late.timestamp) + this.#offset
  }

  /** Ties the unsqueezed time line to the camera's capture clock. @param line that is sent; its clock must be ready */
  report({ clock, format }: MediaLine, nowMs: number): Pick<SenderReport, 'ntp' | 'rtp'> {
    const live = Math.round(clock.live(nowMs))
    const behindMs = format.kind === 'audio' ? soundBehindMs : 0
    return { ntp: ntpFromMs(clock.captureMs(live) + behindMs), rtp: (live + this.#offset) % 2 ** 32 }
  }
}
