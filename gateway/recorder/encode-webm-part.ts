import type { AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { audioTrack, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { type Block, writeClusters } from '@porchlight/proto/media/webm/cluster.ts'
import { steadyTime } from './encode-part.ts'
import type { Part } from './part-builder.ts'

/** The timeline of one WebM file, which counts ms: what the next part has to go on from. */
export class WebmTimeline {
  readonly baseMs: number
  #videoEndMs = 0
  #audioEndMs: number | undefined

  /** @param baseMs capture time that is 0 */
  constructor(baseMs: number) {
    this.baseMs = baseMs
  }

  /** The bytes of a part. Its sound is left out where `withAudio` is false. */
  encode(part: Part, withAudio: boolean): Uint8Array {
    return writeClusters([...(withAudio ? this.#audio(part.audio) : []), ...this.#video(part)])
  }

  /** VP8 has no B-frames: pictures are shown in the order in which they come. */
  #video({ units }: Part): Block[] {
    return units.map(({ captureMs, keyframe, reference, data }) => {
      const timeMs = Math.max(Math.round(captureMs - this.baseMs), this.#videoEndMs)
      this.#videoEndMs = timeMs + 1
      return { track: videoTrack, timeMs, keyframe, reference, data }
    })
  }

  #audio(frames: readonly AudioFrame[]): Block[] {
    return frames.map(({ captureMs, samples, clockRate, data }) => {
      const time = steadyTime(Math.max(0, captureMs - this.baseMs), this.#audioEndMs, 1_000)
      this.#audioEndMs = time + (samples * 1_000) / clockRate
      return { track: audioTrack, timeMs: Math.round(time), keyframe: true, reference: true, data: [data] }
    })
  }
}
