import { PorchlightError } from '@porchlight/proto/errors.ts'
import { maxReferences, segmentIndex } from '@porchlight/proto/media/fmp4/fragment.ts'
import { videoTimescale, videoTrack, withDuration } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { writeCues } from '@porchlight/proto/media/webm/cluster.ts'
import { isWebm, segmentOf, wholeHeader } from '@porchlight/proto/media/webm/header.ts'
import type { RecordedPart } from './recorded-parts.ts'

export interface MovieHead {
  /** Media type of the whole. */
  type: 'video/mp4' | 'video/webm'
  /** What stands ahead of the parts. */
  bytes: Uint8Array[]
}

/**
 * The beginning of a file that players can show and seek in: with its duration, and an index of the parts.
 * @param zeros for each part the capture time, in ms, that is 0
 * @throws PorchlightError `recording_not_found` where `init` is damaged
 */
export function movieHead(init: Uint8Array, parts: readonly RecordedPart[], zeros: readonly number[]): MovieHead {
  const durationMs = parts.at(-1)!.end_ms - zeros.at(-1)!
  return isWebm(init) ? webmHead(init, parts, zeros, durationMs) : mp4Head(init, parts, zeros, durationMs)
}

type Heading = (
  init: Uint8Array,
  parts: readonly RecordedPart[],
  zeros: readonly number[],
  durationMs: number,
) => MovieHead

const mp4Head: Heading = (init, parts, zeros, durationMs) => {
  const references = parts.slice(0, maxReferences).map((part, index) => {
    const next = parts[index + 1]
    const nextMs = next ? next.start_ms - zeros[index + 1]! : part.end_ms - zeros[index]!
    const duration = Math.max(0, Math.round(((nextMs - part.start_ms + zeros[index]!) * videoTimescale) / 1_000))
    return { bytes: part.bytes, duration, keyframe: part.keyframe === 1 }
  })
  const index = segmentIndex(videoTrack, videoTimescale, 0, references)
  return { type: 'video/mp4', bytes: [withDuration(init, durationMs), index] }
}

const webmHead: Heading = (init, parts, zeros, durationMs) => {
  let at = 0
  const cues = parts.flatMap((part, index) => {
    const cue = { timeMs: Math.max(0, Math.round(part.start_ms - zeros[index]!)), at }
    at += part.bytes
    return part.keyframe === 1 ? [cue] : []
  })
  const index = writeCues(videoTrack, cues, init.byteLength - (segmentOf(init)?.body ?? 0))
  const header = wholeHeader(init, durationMs, index.byteLength + at)
  if (header === undefined) throw new PorchlightError('recording_not_found', parts[0]!.path)
  return { type: 'video/webm', bytes: [header, index] }
}
