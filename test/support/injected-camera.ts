import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { parseSps, profileLevelId } from '@porchlight/proto/media/h264.ts'
import { packetizeVideo } from '@porchlight/proto/media/packetizer.ts'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import {
  absCaptureTimeId,
  frameNumberId,
  writeAbsCaptureTime,
  writeFrameNumber,
} from '@porchlight/proto/media/rtp-extensions.ts'
import type { LineFormat } from '../../gateway/sfu/media-line.ts'
import { Producer } from '../../gateway/sfu/producer.ts'
import { MediaClock, preciseNow, type SentFrame, ToneLoop } from '../sim/media-loop.ts'
import type { Mp4Video } from '../sim/mp4-source.ts'
import { quietLog } from './quiet-log.ts'

const maxPayload = 1_140

/** Lines as a device of ours offers them. */
export function injectedFormats(video: Mp4Video): { video: LineFormat; audio: LineFormat } {
  const sps = parseSps(video.parameterSets[0] ?? new Uint8Array())
  const extensions = { frameNumberId, captureTimeId: absCaptureTimeId, transportCcId: undefined }
  return {
    video: {
      kind: 'video',
      codec: video.codec,
      payloadType: 96,
      clockRate: 90_000,
      channels: 1,
      fmtp: sps ? `packetization-mode=1;profile-level-id=${profileLevelId(sps)}` : '',
      ...extensions,
    },
    audio: {
      kind: 'audio',
      codec: 'pcmu',
      payloadType: 0,
      clockRate: 8_000,
      channels: 1,
      fmtp: '',
      ...extensions,
    },
  }
}

/** The simulated camera's scene put straight into a producer: what a device's session would bring, without one. */
export class InjectedCamera {
  readonly producer: Producer
  /** Sent pictures, oldest first. */
  readonly sent: SentFrame[] = []
  readonly asked: Uint8Array[] = []
  #video: Mp4Video
  /** When the present scene began, s. */
  #began = 0
  readonly #clock = new MediaClock()
  readonly #tone: ToneLoop
  #timer: NodeJS.Timeout | undefined
  /** Pictures of the present scene, and of all. */
  #count = 0
  #frame = 0
  #sequence = 65_000
  #aheadTicks = 0
  #ssrc = 1111
  #audioSequence = 10

  constructor(camera: string, video: Mp4Video, talk?: { codec: 'pcmu'; heard(bytes: Uint8Array): void }) {
    this.#video = video
    const formats = injectedFormats(video)
    this.producer = new Producer({
      camera,
      run: 'boot-of-the-test',
      ...formats,
      talk: talk && { codec: talk.codec, payloadType: 0, clockRate: 8_000, ssrc: 77 },
      send: (line, bytes) => (line === 'talk' ? talk?.heard(bytes) : this.asked.push(bytes)),
      now: () => performance.now(),
      wallNow: Date.now,
      log: quietLog,
    })
    this.#tone = new ToneLoop(this.#clock, 440)
    this.#tone.listen((block) => this.#sound(block.payloads[0]!, block.seconds))
  }

  /** Real time of the first picture, ms since the Unix epoch. */
  get startMs(): number {
    return this.#clock.startMs ?? 0
  }

  start(): void {
    this.#clock.start()
    this.#run()
  }

  /** Bad manners, from the next picture on: a clock set ahead or back, numbers that leap, another SSRC, another scene. */
  change(to: { seconds?: number; sequence?: number; ssrc?: number; video?: Mp4Video }): void {
    this.#aheadTicks += (to.seconds ?? 0) * 90_000
    this.#sequence += to.sequence ?? 0
    this.#ssrc = to.ssrc ?? this.#ssrc
    if (!to.video) return
    this.#began = this.#due(this.#count)
    this.#video = to.video
    this.#count = 0
  }

  #due(count: number): number {
    const { samples, seconds } = this.#video
    return this.#began + Math.floor(count / samples.length) * seconds + samples[count % samples.length]!.decodeSeconds
  }

  #run(): void {
    while (this.#due(this.#count) <= this.#clock.seconds) this.#picture(this.#count++)
    this.#timer = setTimeout(() => this.#run(), Math.max(0, (this.#due(this.#count) - this.#clock.seconds) * 1000))
  }

  #picture(count: number): void {
    const { samples, codec } = this.#video
    const sample = samples[count % samples.length]!
    const seconds = this.#due(count)
    const captureMs = (this.#clock.startMs ?? 0) + seconds * 1000
    const unit: AccessUnit = {
      codec,
      frame: this.#frame,
      captureMs,
      keyframe: sample.keyframe,
      reference: true,
      data: sample.nals,
    }
    // The bar code counts at the main stream's 25 a second in the sub stream too.
    const index = Math.floor(sample.presentSeconds * 25 + 1e-6)
    this.sent.push({ index, sentMs: preciseNow(), keyframe: sample.keyframe })
    const payloads = packetizeVideo(unit, maxPayload)
    for (const [part, payload] of payloads.entries()) {
      this.producer.packet(
        'video',
        writeRtp({
          marker: part === payloads.length - 1,
          payloadType: 96,
          sequence: this.#sequence++ & 0xffff,
          timestamp: (Math.round(seconds * 90_000) + this.#aheadTicks) >>> 0,
          ssrc: this.#ssrc,
          extensions: [
            { id: frameNumberId, data: writeFrameNumber(this.#frame) },
            { id: absCaptureTimeId, data: writeAbsCaptureTime(captureMs) },
          ],
          payload,
        }),
      )
    }
    this.#frame++
  }

  #sound(payload: Uint8Array, seconds: number): void {
    this.producer.packet(
      'audio',
      writeRtp({
        marker: false,
        payloadType: 0,
        sequence: this.#audioSequence++ & 0xffff,
        timestamp: Math.round(seconds * 8_000) % 2 ** 32,
        ssrc: 2222,
        extensions: [],
        payload,
      }),
    )
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#tone.close()
    this.producer.close()
  }
}
