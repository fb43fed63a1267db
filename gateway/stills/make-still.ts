import { spawn } from 'node:child_process'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { writeFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { initSegment, videoTimescale, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { sampleData, videoEntry } from '@porchlight/proto/media/fmp4/video-entry.ts'

const maxWidth = 1_280
/** A busy small machine may take long; stills are made one at a time, beside everything else. */
const timeoutMs = 60_000
const maxJpegBytes = 4 * 1024 * 1024

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
  const child = spawn(
    ffmpeg,
    [
      ...['-hide_banner', '-loglevel', 'quiet', '-nostdin', '-threads', '1', '-f', 'mp4', '-i', 'pipe:0'],
      ...['-an', '-vf', filters.join(','), '-frames:v', '1', '-q:v', '4', '-f', 'mjpeg', 'pipe:1'],
    ],
    { stdio: ['pipe', 'pipe', 'ignore'], signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
  )
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const pieces: Buffer[] = []
  let bytes = 0
  child.stdout.on('data', (piece: Buffer) => {
    bytes += piece.byteLength
    if (bytes > maxJpegBytes) child.kill('SIGKILL')
    else pieces.push(piece)
  })
  child.on('error', (cause) => reject(new PorchlightError('ffmpeg_failed', cause.message, { cause })))
  child.on('close', (code) => {
    if (code === 0 && pieces.length > 0) resolve(new Uint8Array(Buffer.concat(pieces)))
    else reject(new PorchlightError('ffmpeg_failed', `still, exit ${code}`))
  })
  // ffmpeg stops reading once it has its picture: its exit says whether all went well
  child.stdin.on('error', () => child.stdin.destroy())
  child.stdin.write(init)
  child.stdin.end(fragment)
  return promise
}
