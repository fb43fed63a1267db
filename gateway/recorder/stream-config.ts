import type { AccessUnit, AudioFormat } from '@porchlight/proto/media/access-unit.ts'
import { initSegment } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { videoEntry } from '@porchlight/proto/media/fmp4/video-entry.ts'
import { configHash } from './scan-files.ts'

/** How a stretch of pictures and sound is to be decoded: what a file begins with. */
export interface StreamConfig {
  init: Uint8Array
  /** Names the init segment; parts with the same value play through one. */
  hash: string
  audio: AudioFormat | undefined
}

/** @returns undefined where the keyframe does not say how it is coded, or MP4 has no place for the codec (VP8) */
export function streamConfig(keyframe: AccessUnit, audio: AudioFormat | undefined): StreamConfig | undefined {
  const entry = videoEntry(keyframe)
  if (entry === undefined) return undefined
  const init = initSegment(entry, audio)
  return { init, hash: configHash(init), audio }
}
