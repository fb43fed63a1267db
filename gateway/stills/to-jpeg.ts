import { spawn } from 'node:child_process'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { isWebm } from '@porchlight/proto/media/webm/header.ts'

/** A busy small machine may take long; pictures are made one at a time, beside everything else. */
const timeoutMs = 60_000
const maxJpegBytes = 4 * 1024 * 1024

export interface JpegInput {
  /** The beginning of an MP4 or WebM, and what follows it. */
  init: Uint8Array
  stream: Uint8Array
  /** ffmpeg's video filters: the first picture that comes out of them is taken. */
  filters: readonly string[]
}

/** Makes one JPEG in a child process. @throws PorchlightError `ffmpeg_failed` */
export async function toJpeg(
  ffmpeg: string,
  { init, stream, filters }: JpegInput,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const format = isWebm(init) ? 'matroska' : 'mp4'
  const child = spawn(
    ffmpeg,
    [
      ...['-hide_banner', '-loglevel', 'quiet', '-nostdin', '-threads', '1', '-f', format, '-i', 'pipe:0'],
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
  child.stdin.end(stream)
  return promise
}
