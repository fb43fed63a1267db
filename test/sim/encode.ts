import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** x264 as a camera encodes: Constrained Baseline, one slice, closed groups of `gop` pictures and none in between. */
export function x264Options(gop: number): string[] {
  return [
    ...['-an', '-c:v', 'libx264', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p', '-bf', '0'],
    ...['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-flags', '+cgop+bitexact'],
    ...['-fflags', '+bitexact', '-bsf:v', 'filter_units=remove_types=6'],
  ]
}

/** x265 likewise, in the Main profile. */
function x265Options(gop: number): string[] {
  return [
    ...['-an', '-c:v', 'libx265', '-tag:v', 'hvc1', '-pix_fmt', 'yuv420p'],
    ...['-x265-params', `log-level=error:bframes=0:open-gop=0:scenecut=0:keyint=${gop}:min-keyint=${gop}`],
  ]
}

export interface Encoding {
  /** Default h264. */
  codec?: 'h264' | 'h265'
  /** Pictures from one keyframe to the next. */
  gop?: number
  /** Bit/s; noise is laid over the picture so that it is really reached. */
  bitrate?: number
}

/**
 * Encodes a file again with other knobs, by ffmpeg (found by FFMPEG_PATH or PATH); the result is kept in the system's
 * temporary folder, under a name made of the input's content and the knobs.
 * @returns the path of an MP4 file
 */
export async function encodeAgain(path: string, { codec = 'h264', gop = 100, bitrate }: Encoding): Promise<string> {
  const hash = createHash('sha256').update(await readFile(path))
  hash.update(JSON.stringify({ codec, gop, bitrate, version: 2 }))
  const result = join(tmpdir(), `porchlight-scene-${hash.digest('hex').slice(0, 16)}.mp4`)
  if (existsSync(result)) return result
  const unfinished = `${result}.${process.pid}.mp4`
  const rate =
    bitrate === undefined
      ? ['-crf', '25']
      : ['-vf', 'noise=alls=14:allf=t', '-b:v', `${bitrate}`, '-maxrate', `${bitrate}`, '-bufsize', `${bitrate}`]
  const encoder = codec === 'h265' ? x265Options(gop) : x264Options(gop)
  const options = ['-v', 'error', '-y', '-i', path, ...rate, ...encoder, '-preset', 'superfast']
  try {
    await promisify(execFile)(process.env.FFMPEG_PATH ?? 'ffmpeg', [...options, '-movflags', '+faststart', unfinished])
    await rename(unfinished, result)
  } finally {
    await rm(unfinished, { force: true })
  }
  return result
}
