import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { type Sample, type TrackFragment, writeFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { audioTrack, videoTimescale, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { sampleData } from '@porchlight/proto/media/fmp4/video-entry.ts'
import type { Part } from './part-builder.ts'

/** How far the sound's clock may run from the capture times before it is set again, in ms. */
const audioSlackMs = 10

/** The timeline of one file: what the next part has to go on from. */
export class FileTimeline {
  readonly baseMs: number
  #sequence = 0
  #videoEnd = 0
  #audioEnd: number | undefined

  /** @param baseMs capture time that is 0 */
  constructor(baseMs: number) {
    this.baseMs = baseMs
  }

  /** The bytes of a part. Its sound is left out where `withAudio` is false. */
  encode(part: Part, withAudio: boolean): Uint8Array {
    this.#sequence += 1
    const tracks = [this.#video(part)]
    if (withAudio && part.audio.length > 0) tracks.push(this.#audio(part.audio))
    return writeFragment(this.#sequence, tracks)
  }

  /**
   * Pictures come in decoding order with the times they are shown at. Sorted, these times are the decoding times: the
   * first picture of a part is decoded when the first is shown, and composition offsets (which may be negative) say the rest.
   */
  #video({ units, endMs }: Part): TrackFragment {
    const shown = units.map((unit) => this.#ticks(unit.captureMs, videoTimescale))
    const decoded = shown.toSorted((a, b) => a - b)
    let earliest = this.#videoEnd
    for (const [index, time] of decoded.entries()) {
      decoded[index] = Math.max(time, earliest)
      earliest = decoded[index] + 1
    }
    const end = Math.max(this.#ticks(endMs, videoTimescale), earliest)
    this.#videoEnd = earliest
    const samples = units.map(
      (unit, index): Sample => ({
        ...videoSample(unit),
        duration: (decoded[index + 1] ?? end) - decoded[index]!,
        offset: shown[index]! - decoded[index]!,
      }),
    )
    return { track: videoTrack, baseTime: decoded[0]!, samples }
  }

  #audio(frames: readonly AudioFrame[]): TrackFragment {
    const times: number[] = []
    for (const { captureMs, clockRate, samples } of frames) {
      const time = steadyTime(this.#ticks(captureMs, clockRate), this.#audioEnd, clockRate)
      times.push(time)
      this.#audioEnd = time + samples
    }
    const samples = frames.map(
      (frame, index): Sample => ({
        duration: index + 1 < times.length ? times[index + 1]! - times[index]! : frame.samples,
        offset: 0,
        keyframe: true,
        reference: true,
        data: [frame.data],
      }),
    )
    return { track: audioTrack, baseTime: times[0]!, samples }
  }

  #ticks(captureMs: number, timescale: number): number {
    return Math.max(0, Math.round(((captureMs - this.baseMs) * timescale) / 1_000))
  }
}

/**
 * When a packet of sound is heard: where the one before it ends, as long as its capture time is near that.
 * @param actual its capture time, ticks
 * @param expected where the one before ends, ticks
 * @param timescale ticks per second
 */
export function steadyTime(actual: number, expected: number | undefined, timescale: number): number {
  const near = expected !== undefined && Math.abs(actual - expected) <= (audioSlackMs * timescale) / 1_000
  return near ? expected : Math.max(actual, expected ?? 0)
}

function videoSample(unit: AccessUnit): Pick<Sample, 'keyframe' | 'reference' | 'data'> {
  return { keyframe: unit.keyframe, reference: unit.reference, data: sampleData(unit) }
}

/** Capture times that the sound of a part covers, as spans [from, to] in ms. */
export function audioSpans(frames: readonly AudioFrame[]): [number, number][] {
  const spans: [number, number][] = []
  for (const { captureMs, samples, clockRate } of frames) {
    const end = captureMs + (samples * 1_000) / clockRate
    const last = spans.at(-1)
    if (last && captureMs - last[1] <= audioSlackMs) last[1] = Math.max(last[1], end)
    else spans.push([captureMs, end])
  }
  return spans
}
