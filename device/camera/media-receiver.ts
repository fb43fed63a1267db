import type { AudioFormat, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import { VideoDepacketizer } from '@porchlight/proto/media/depacketizer.ts'
import { keyframeStart } from '@porchlight/proto/media/keyframe.ts'
import { parseRtcp } from '@porchlight/proto/media/rtcp.ts'
import { msFromNtp, parseRtp, type RtpPacket } from '@porchlight/proto/media/rtp.ts'
import { vp8Size } from '@porchlight/proto/media/vp8.ts'
import { parseVp9Frame } from '@porchlight/proto/media/vp9.ts'
import { AccessUnitAssembler, type Picture } from './access-unit-assembler.ts'
import { AudioReceiver, type Sound } from './audio-receiver.ts'
import type { CameraListener } from './camera-source.ts'
import { CaptureClock } from './capture-clock.ts'
import type { FrameNumbering } from './frame-numbering.ts'
import { ReorderBuffer } from './reorder-buffer.ts'
import type { AudioTrack, Tracks } from './tracks.ts'

export interface MediaReceiverOptions {
  tracks: Pick<Tracks, 'video' | 'audio'>
  listener: CameraListener
  numbering: FrameNumbering
  /** Packets may come out of order (UDP). */
  reorder: boolean
  /** Device clock, ms since the Unix epoch: capture times. It may be set while we run. */
  now: () => number
  /** A clock that only goes on, ms: waits. */
  monotonic: () => number
}

/** What has come so far; for the log. */
export interface ReceiverStats {
  packets: number
  lost: number
  pictures: number
  torn: number
  malformed: number
}

/** One stream of RTP: order, loss, time. */
class Line {
  readonly clock: CaptureClock
  readonly #buffer: ReorderBuffer | undefined
  readonly #take: (packet: RtpPacket, lostBefore: number) => void
  #lastSequence: number | undefined
  #lost = 0
  ssrc: number | undefined
  packets = 0
  highestSequence = 0

  constructor(clockRate: number, reorder: boolean, take: (packet: RtpPacket, lostBefore: number) => void) {
    this.clock = new CaptureClock(clockRate)
    this.#take = take
    this.#buffer = reorder ? new ReorderBuffer(take) : undefined
  }

  push(packet: RtpPacket, nowMs: number): void {
    this.packets += 1
    this.ssrc = packet.ssrc
    this.highestSequence = packet.sequence
    if (this.#buffer !== undefined) {
      this.#buffer.push(packet, nowMs)
      return
    }
    const step = this.#lastSequence === undefined ? 1 : (packet.sequence - this.#lastSequence) & 0xffff
    this.#lastSequence = packet.sequence
    // over TCP nothing is reordered: a hole is what the camera itself dropped; a step back is its own oddity
    const missing = step > 1 && step < 3_000 ? step - 1 : 0
    this.#lost += missing
    this.#take(packet, missing)
  }

  expire(nowMs: number): void {
    this.#buffer?.expire(nowMs)
  }

  get waiting(): boolean {
    return this.#buffer?.waiting ?? false
  }

  get lost(): number {
    return this.#buffer?.lost ?? this.#lost
  }
}

/** From RTP and RTCP bytes of a camera to numbered access units and audio frames with capture times. */
export class MediaReceiver {
  readonly #options: MediaReceiverOptions
  readonly #video: Line
  readonly #audio: Line | undefined
  readonly #assembler: AccessUnitAssembler | undefined
  readonly #sound: AudioReceiver | undefined
  readonly #depacketizer: VideoDepacketizer | undefined
  #format: VideoFormat | undefined
  #bframes = false
  #keyframeTimestamp: number | undefined
  #arrival = 0
  /** When the newest video packet came, on the monotonic clock; undefined before the first. */
  lastVideoMs: number | undefined
  #pictures = 0
  #malformed = 0

  constructor(options: MediaReceiverOptions) {
    this.#options = options
    const { video, audio } = options.tracks
    this.#video = new Line(video.clockRate, options.reorder, (packet, lost) => this.#videoPacket(packet, lost))
    if (video.codec === 'h264' || video.codec === 'h265') {
      const facts = ({ width, height }: { width: number; height: number }) => this.#setFormat(width, height)
      this.#assembler = new AccessUnitAssembler(
        video.codec,
        { picture: (one) => this.#picture(one), facts },
        video.sprop,
      )
    } else this.#depacketizer = new VideoDepacketizer(video.codec)
    if (audio !== undefined) {
      this.#sound = new AudioReceiver(
        audio,
        (sound) => this.#audioFrame(sound, audio),
        () => this.#sayFormat(),
      )
      this.#audio = new Line(audio.clockRate, options.reorder, (packet) => this.#sound?.push(packet))
    }
  }

  get stats(): ReceiverStats {
    const lost = this.#video.lost + (this.#audio?.lost ?? 0)
    const packets = this.#video.packets + (this.#audio?.packets ?? 0)
    return { packets, lost, pictures: this.#pictures, torn: this.#assembler?.torn ?? 0, malformed: this.#malformed }
  }

  /** SSRC of the camera's video; undefined before its first packet. */
  get videoSsrc(): number | undefined {
    return this.#video.ssrc
  }

  /** Newest sequence number of the video. */
  get videoSequence(): number {
    return this.#video.highestSequence
  }

  rtp(kind: 'video' | 'audio', bytes: Uint8Array): void {
    const track = this.#options.tracks[kind]
    const line = kind === 'video' ? this.#video : this.#audio
    const packet = parseRtp(bytes)
    if (packet === undefined || track === undefined || line === undefined) {
      this.#malformed += 1
      return
    }
    // comfort noise, telephone events and parity share the line with another payload type
    if (packet.payloadType !== track.payloadType) return
    const now = this.#options.monotonic()
    if (kind === 'video') this.lastVideoMs = now
    this.#arrival = this.#options.now()
    line.push(packet, now)
  }

  rtcp(kind: 'video' | 'audio', bytes: Uint8Array): void {
    const line = kind === 'video' ? this.#video : this.#audio
    for (const packet of parseRtcp(bytes)) {
      if (packet.type === 'sr') line?.clock.senderReport(msFromNtp(packet.ntp), packet.rtp)
    }
  }

  /** Lets go of packets that wait for a lost one; to be called every few ten ms where packets can be reordered. */
  tick(): void {
    const now = this.#options.monotonic()
    this.#arrival = this.#options.now()
    if (this.#video.waiting) this.#video.expire(now)
    if (this.#audio?.waiting) this.#audio.expire(now)
  }

  #videoPacket(packet: RtpPacket, lostBefore: number): void {
    if (this.#assembler !== undefined) {
      this.#assembler.push(packet, lostBefore)
      return
    }
    const { codec } = this.#options.tracks.video
    if (keyframeStart(codec, packet.payload)) this.#keyframeTimestamp = packet.timestamp
    const data = this.#depacketizer?.push(packet.payload, packet.marker, packet.timestamp, packet.sequence)
    if (data === undefined) return
    const keyframe = this.#keyframeTimestamp === packet.timestamp
    const size = codec === 'vp8' ? vp8Size(data[0]!) : codec === 'vp9' ? parseVp9Frame(data[0]!) : undefined
    if (keyframe) this.#setFormat(size?.width ?? this.#format?.width ?? 0, size?.height ?? this.#format?.height ?? 0)
    if (this.#format === undefined) return
    this.#picture({ timestamp: packet.timestamp, keyframe, reference: true, bidirectional: false, data })
  }

  #picture(picture: Picture): void {
    const { listener, numbering, tracks } = this.#options
    if (picture.bidirectional && !this.#bframes) {
      this.#bframes = true
      this.#video.clock.reorders = true
      listener.note('camera_bframes')
    }
    this.#pictures += 1
    listener.accessUnit({
      codec: tracks.video.codec,
      frame: numbering.nextVideo(),
      captureMs: this.#video.clock.capture(picture.timestamp, this.#arrival),
      keyframe: picture.keyframe,
      reference: picture.reference,
      data: picture.data,
    })
  }

  #audioFrame(sound: Sound, track: AudioTrack): void {
    const { listener, numbering } = this.#options
    const format = this.#sound?.format
    // nothing before the first keyframe: sound alone would only pull the timeline
    if (format === undefined || this.#format === undefined || this.#audio === undefined) return
    listener.audioFrame({
      codec: track.codec,
      frame: numbering.nextAudio(),
      captureMs: this.#audio.clock.capture(sound.timestamp, this.#arrival, this.#video.clock),
      clockRate: format.clockRate,
      channels: format.channels,
      samples: sound.samples,
      data: sound.data,
      ...(format.config === undefined ? {} : { config: format.config }),
    })
  }

  #setFormat(width: number, height: number): void {
    if (this.#format?.width === width && this.#format.height === height) return
    this.#format = { codec: this.#options.tracks.video.codec, width, height }
    this.#sayFormat()
  }

  #sayFormat(): void {
    const audio: AudioFormat | undefined = this.#sound?.format
    if (this.#format !== undefined) this.#options.listener.format(this.#format, audio)
  }
}
