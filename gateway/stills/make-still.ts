import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { sampleData } from '@porchlight/proto/media/fmp4/video-entry.ts'
import { recordingInit } from '@porchlight/proto/media/recording-init.ts'
import { pictureStream } from './picture-stream.ts'
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
  const init = units[0] && recordingInit(units[0], undefined)?.bytes
  if (init === undefined) throw new PorchlightError('recording_codec')
  // every picture a second after the one before: only their order matters
  const order = units.map((unit) => unit.captureMs).toSorted((a, b) => a - b)
  const pictures = units.map((unit, index) => ({
    keyframe: unit.keyframe,
    reference: unit.reference,
    data: sampleData(unit),
    shownLater: order.indexOf(unit.captureMs) - index,
  }))
  const filters = [`select='gte(t,${units.length - 1.5})'`, `scale='min(${maxWidth},iw)':-2`]
  return toJpeg(ffmpeg, { init, stream: pictureStream(init, pictures), filters }, signal)
}
