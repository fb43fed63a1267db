import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ffmpegCandidates } from '@porchlight/proto/ffmpeg.ts'
import type { Logger } from 'pino'

const run = promisify(execFile)
const timeoutMs = 5_000

/** The first ffmpeg that runs (`FFMPEG_PATH`, `ffmpeg-static`, `PATH`); undefined where there is none. */
export async function findFfmpeg(
  env: Readonly<Record<string, string | undefined>>,
  log: Pick<Logger, 'debug'>,
): Promise<string | undefined> {
  for (const candidate of ffmpegCandidates(env, await staticPath(log))) {
    try {
      await run(candidate, ['-hide_banner', '-version'], { timeout: timeoutMs })
      return candidate
    } catch (error) {
      log.debug({ err: error, candidate }, 'this ffmpeg does not run')
    }
  }
  return undefined
}

/** `ffmpeg-static` is optional: its download may have failed. */
async function staticPath(log: Pick<Logger, 'debug'>): Promise<string | undefined> {
  const name = 'ffmpeg-static'
  try {
    const module = (await import(name)) as { default?: unknown }
    return typeof module.default === 'string' ? module.default : undefined
  } catch (error) {
    log.debug({ err: error }, 'ffmpeg-static is not installed')
    return undefined
  }
}
