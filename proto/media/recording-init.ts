import type { AccessUnit, AudioFormat } from './access-unit.ts'
import { concatBytes } from './bytes.ts'
import { initSegment, readInit } from './fmp4/init-segment.ts'
import { videoEntry } from './fmp4/video-entry.ts'
import { vp8Size } from './vp8.ts'
import { isWebm, readWebmHeader, webmHeader } from './webm/header.ts'

export interface RecordingInit {
  /** What a file begins with. */
  bytes: Uint8Array
  /** The sound that the file has a track for. */
  audio: AudioFormat | undefined
}

/**
 * How a recording begins that this keyframe begins: MP4, for VP8 WebM, which holds no other sound than Opus.
 * @returns undefined where the keyframe does not say how it is coded
 */
export function recordingInit(keyframe: AccessUnit, audio: AudioFormat | undefined): RecordingInit | undefined {
  if (keyframe.codec === 'vp8') {
    const size = vp8Size(concatBytes(keyframe.data))
    const opus = audio?.codec === 'opus' ? audio : undefined
    return size && { bytes: webmHeader(size, opus), audio: opus }
  }
  const entry = videoEntry(keyframe)
  return entry && { bytes: initSegment(entry, audio), audio }
}

/** The sound that a file has a track for, by what it begins with. */
export function recordedSound(init: Uint8Array): AudioFormat | undefined {
  return (isWebm(init) ? readWebmHeader(init) : readInit(init))?.audio
}
