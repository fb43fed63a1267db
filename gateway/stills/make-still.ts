import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { writeFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { initSegment, videoTimescale, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { sampleData, videoEntry } from '@porchlight/proto/media/fmp4/video-entry.ts'
import { toJpeg } from './to-jpeg.ts'

const maxWidth = 1_280

/**
 * Decodes pictures from a keyframe on and makes a JPEG of the last one shown, at most 1280 pixels wide.
 * @param units in decoding order; the first is a keyframe
 * @throws PorchlightError `ffmpeg_failed`, `recording_codec`
 */
export async function makeStill(
  ffmpeg: string,
  units: readonly AccessUnit[],
  signal: AbortSignal,
): Promise<Uint8Array> {
  const entry = units[0] && videoEntry(units[0])
  if (entry === undefined) throw new PorchlightError('recording_codec')
  // every picture a second after the one before: only their order matters
  const order = units.map((unit) => unit.captureMs).toSorted((a, b) => a - b)
  const samples = units.map((unit, index) => ({
    duration: videoTimescale,
    offset: (order.indexOf(unit.captureMs) - index) * videoTimescale,
    keyframe: unit.keyframe,
    reference: unit.reference,
    data: sampleData(unit),
  }))
  const init = initSegment(entry, undefined)
  const fragment = writeFragment(1, [{ track: videoTrack, baseTime: 0, samples }])
  const filters = [`select='gte(t,${units.length - 1.5})'`, `scale='min(${maxWidth},iw)':-2`]
  return toJpeg(ffmpeg, { init, fragment, filters }, signal)
}
