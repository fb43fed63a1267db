import type { AccessUnit, AudioFormat } from '@porchlight/proto/media/access-unit.ts'
import { recordingInit } from '@porchlight/proto/media/recording-init.ts'
import { configHash } from './scan-files.ts'

/** How a stretch of pictures and sound is to be decoded: what a file begins with. */
export interface StreamConfig {
  init: Uint8Array
  /** Names the init segment; parts with the same value play through one. */
  hash: string
  /** The sound that is recorded. */
  audio: AudioFormat | undefined
}

/** @returns undefined where the keyframe does not say how it is coded */
export function streamConfig(keyframe: AccessUnit, audio: AudioFormat | undefined): StreamConfig | undefined {
  const init = recordingInit(keyframe, audio)
  return init && { init: init.bytes, hash: configHash(init.bytes), audio: init.audio }
}
