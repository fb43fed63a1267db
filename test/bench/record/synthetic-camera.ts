import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import type { MediaReader } from '../../../gateway/sfu/media-reader.ts'

export interface Counts {
  /** Pictures, and their bytes. */
  units: number
  bytes: number
  /** Syncs of files and directories. */
  fsyncs: number
  /** Commits of the index, each with a sync. */
  commits: number
  /** How often a camera's recording told of an error. */
  errors: number
  /** The longest that a picture came in, or was taken, later than it was due since it was last asked, ms. */
  latestMs: number
}

/** 25 pictures a second. */
const frameMs = 40
/** Pictures in a group. */
const gop = 100
export const groupMs = gop * frameMs
/** 2 Mbit/s: a keyframe as large as ten other pictures. */
const otherBytes = Math.round(((2_000_000 / 8) * (groupMs / 1_000)) / (gop - 1 + 10))

// Baseline, 1280×720: parameter sets that a reader of MP4 can make sense of; what is in the slices does not matter.
const sps = Buffer.from('6742c01fda014016ec0440000003004000000c83c60ca8', 'hex')
const pps = Buffer.from('68ce3c80', 'hex')
const slice = (type: number, bytes: number) => {
  const nal = Buffer.alloc(bytes, 0x5a)
  nal[0] = type
  return nal
}
const keyframe = [sps, pps, slice(0x65, otherBytes * 10)]
const other = [slice(0x41, otherBytes)]

const bytesOf = (data: readonly Uint8Array[]) => data.reduce((sum, part) => sum + part.length, 0)

/** Sends pictures of 2 Mbit/s as they fall due; all share their bytes. */
export class SyntheticCamera {
  readonly #reader: MediaReader
  readonly #phaseMs: number
  readonly #beganAt = Date.now()
  #frame = 0

  /** @param phaseMs when its first picture is due */
  constructor(reader: MediaReader, phaseMs: number) {
    this.#reader = reader
    this.#phaseMs = phaseMs
    reader.format('boot-0001', { codec: 'h264', width: 1_280, height: 720 }, undefined)
  }

  /** Gives what is due. @param elapsedMs since all began */
  tick(elapsedMs: number, counts: Counts): void {
    for (; this.#dueMs <= elapsedMs; this.#frame++) {
      const isKeyframe = this.#frame % gop === 0
      const unit: AccessUnit = {
        codec: 'h264',
        frame: this.#frame,
        captureMs: this.#beganAt + this.#dueMs,
        keyframe: isKeyframe,
        reference: true,
        data: isKeyframe ? keyframe : other,
      }
      const beganMs = performance.now()
      this.#reader.accessUnit(unit)
      const lateMs = elapsedMs - this.#dueMs + (performance.now() - beganMs)
      counts.units++
      counts.bytes += bytesOf(unit.data)
      counts.latestMs = Math.max(counts.latestMs, lateMs)
    }
  }

  get #dueMs(): number {
    return this.#phaseMs + this.#frame * frameMs
  }
}
