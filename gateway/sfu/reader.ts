import { subRun } from '@porchlight/proto/ids.ts'
import type { AudioFormat, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import { VideoDepacketizer } from '@porchlight/proto/media/depacketizer.ts'
import * as h264 from '@porchlight/proto/media/h264.ts'
import * as h265 from '@porchlight/proto/media/h265.ts'
import { opusSamples } from '@porchlight/proto/media/opus.ts'
import { vp8Size } from '@porchlight/proto/media/vp8.ts'
import { parseVp9Frame } from '@porchlight/proto/media/vp9.ts'
import type { VideoCodec } from '@porchlight/proto/messages/cameras.ts'
import type { MediaLine } from './media-line.ts'
import type { MediaReader, VideoLayer } from './media-reader.ts'
import type { MediaPacket } from './packet-ring.ts'
import type { Producer } from './producer.ts'

/** Feeds one reader with whole frames in order: waits for repairs, says what stayed lost, never squeezes a time. */
export class FrameFeed {
  readonly #producer: Producer
  readonly #reader: MediaReader
  readonly #layer: VideoLayer
  readonly #video: MediaLine | undefined
  readonly #stops: (() => void)[] = []
  readonly #depacketizer: VideoDepacketizer | undefined
  #videoFormat: VideoFormat | undefined
  readonly #audioFormat: AudioFormat | undefined
  #formatTold = false
  #videoCursor: number | undefined
  #audioCursor: number | undefined
  #nextFrame: number | undefined
  #unit: { timestamp: number; keyframe: boolean; captureMs: number | undefined } | undefined
  #closed = false

  constructor(producer: Producer, reader: MediaReader, layer: VideoLayer = 'video') {
    this.#producer = producer
    this.#reader = reader
    this.#layer = layer
    const { audio } = producer
    const video = producer[layer]
    this.#video = video
    if (video) this.#depacketizer = new VideoDepacketizer(video.format.codec as VideoCodec)
    if (audio) {
      const { codec, clockRate, channels } = audio.format
      this.#audioFormat = { codec: codec as AudioFormat['codec'], clockRate, channels }
    }
    if (layer === 'sub' && !video) {
      this.#tellFormat()
      return
    }
    this.#begin(video, audio)
    if (video) this.#stops.push(video.listen({ packets: () => this.#drain() }))
    if (audio) this.#stops.push(audio.listen({ packets: () => this.#drain() }))
    this.#stops.push(producer.onEnd(() => this.#end()))
    this.#drain()
  }

  /** The kept group of pictures comes first, with the sound of its time. */
  #begin(video: MediaLine | undefined, audio: MediaLine | undefined): void {
    this.#videoCursor = video?.cache.start
    if (video && this.#videoCursor === undefined) this.#producer.requestKeyframe(this.#layer)
    if (!audio || audio.cache.ring.head < 0) return
    const start = video && this.#videoCursor !== undefined ? video.cache.ring.get(this.#videoCursor) : undefined
    const fromMs = start ? start.arrivalMs : Number.POSITIVE_INFINITY
    const { ring } = audio.cache
    let cursor = ring.head + 1
    while (cursor > ring.oldest && (ring.get(cursor - 1)?.arrivalMs ?? fromMs) >= fromMs) cursor--
    this.#audioCursor = cursor
  }

  #drain(): void {
    if (this.#closed) return
    const { audio } = this.#producer
    if (this.#video) this.#drainVideo(this.#video, audio)
    if (audio) this.#drainAudio(audio, Number.POSITIVE_INFINITY)
  }

  /** The next packet in order; `wait` while it may still be repaired, `gone` once it is not coming any more. */
  #next(line: MediaLine, cursor: number): MediaPacket | 'wait' | 'gone' {
    const packet = line.cache.ring.get(cursor)
    if (packet) return packet
    return line.losses.isMissing(cursor) ? 'wait' : 'gone'
  }

  #drainVideo(line: MediaLine, audio: MediaLine | undefined): void {
    const { ring } = line.cache
    // Before the first keyframe there is nothing that could be decoded.
    this.#videoCursor ??= line.cache.start
    if (this.#videoCursor === undefined) return
    if (this.#videoCursor < ring.oldest) this.#videoCursor = ring.oldest
    while (this.#videoCursor <= ring.head) {
      const packet = this.#next(line, this.#videoCursor)
      if (packet === 'wait') return
      this.#videoCursor++
      if (packet === 'gone') continue
      if (audio) this.#drainAudio(audio, packet.arrivalMs)
      this.#picture(line, packet)
    }
  }

  #picture(line: MediaLine, packet: MediaPacket): void {
    if (this.#unit?.timestamp !== packet.timestamp) {
      this.#unit = { timestamp: packet.timestamp, keyframe: false, captureMs: undefined }
    }
    const unit = this.#unit
    if (packet.keyframe) unit.keyframe = true
    unit.captureMs ??= packet.captureMs
    const data = this.#depacketizer?.push(packet.payload, packet.marker, packet.timestamp, packet.ext & 0xffff)
    if (!data || data.length === 0 || packet.frame === undefined) return
    const codec = line.format.codec as VideoCodec
    if (unit.keyframe) this.#learnFormat(codec, data)
    this.#tellFormat()
    const expected = this.#nextFrame
    if (expected !== undefined && packet.frame > expected) this.#reader.lost(expected, packet.frame - 1)
    this.#nextFrame = packet.frame + 1
    this.#reader.accessUnit({
      codec,
      frame: packet.frame,
      captureMs: unit.captureMs ?? line.clock.captureMs(packet.timestamp),
      keyframe: unit.keyframe,
      reference: isReferenceUnit(codec, data),
      data,
    })
  }

  /** Sound that came up to `untilMs`: what is kept comes in the order in which it came, sound among pictures. */
  #drainAudio(line: MediaLine, untilMs: number): void {
    const { ring } = line.cache
    if (ring.head < 0) return
    this.#audioCursor ??= ring.head
    if (this.#audioCursor < ring.oldest) this.#audioCursor = ring.oldest
    // Sound waits for the format of the picture, so that a file begins with both.
    if (this.#video && !this.#formatTold) return
    while (this.#audioCursor <= ring.head) {
      const packet = this.#next(line, this.#audioCursor)
      if (packet === 'wait' || (packet !== 'gone' && packet.arrivalMs > untilMs)) return
      this.#audioCursor++
      if (packet === 'gone') continue
      const { codec, clockRate, channels } = line.format
      const samples = codec === 'opus' ? opusSamples(packet.payload) : Math.floor(packet.payload.length / channels)
      // Nothing but padding, with which libwebrtc tries what a link bears, or broken: no decoder takes it.
      if (samples === 0) continue
      this.#tellFormat()
      this.#reader.audioFrame({
        codec: codec as AudioFormat['codec'],
        frame: packet.frame ?? packet.ext,
        captureMs: packet.captureMs ?? line.clock.captureMs(packet.timestamp),
        clockRate,
        channels,
        samples,
        data: packet.payload,
      })
    }
  }

  #learnFormat(codec: VideoCodec, data: readonly Uint8Array[]): void {
    const size = pictureSize(codec, data) ?? { width: 0, height: 0 }
    const known = this.#videoFormat
    if (known && (size.width === 0 || (known.width === size.width && known.height === size.height))) return
    this.#videoFormat = { codec, ...size }
    this.#formatTold = false
  }

  #tellFormat(): void {
    if (this.#formatTold) return
    this.#formatTold = true
    const { run } = this.#producer
    this.#reader.format(this.#layer === 'sub' ? subRun(run) : run, this.#videoFormat, this.#audioFormat)
  }

  #end(): void {
    if (this.#closed) return
    this.close()
    this.#reader.ended()
  }

  /** Nothing is told any more. Idempotent. */
  close(): void {
    this.#closed = true
    for (const stop of this.#stops) stop()
    this.#stops.length = 0
  }
}

function isReferenceUnit(codec: VideoCodec, data: readonly Uint8Array[]): boolean {
  if (codec === 'h264') return data.some((nal) => h264.isSlice(nal) && h264.isReference(nal))
  if (codec === 'h265') return data.some((nal) => h265.isSlice(nal) && h265.isReference(nal))
  return true
}

function pictureSize(codec: VideoCodec, data: readonly Uint8Array[]): { width: number; height: number } | undefined {
  const first = data[0]
  switch (codec) {
    case 'h264':
    case 'h265': {
      const parse = codec === 'h264' ? h264.parseSps : h265.parseSps
      for (const nal of data) {
        const sps = parse(nal)
        if (sps) return { width: sps.width, height: sps.height }
      }
      return undefined
    }
    case 'vp8':
      return first && vp8Size(first)
    case 'vp9': {
      const frame = first && parseVp9Frame(first)
      return frame?.width && frame.height ? { width: frame.width, height: frame.height } : undefined
    }
    case 'av1':
      return undefined
  }
}
