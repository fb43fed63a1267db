import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { ffmpegCandidates } from '@porchlight/proto/ffmpeg.ts'

const run = promisify(execFile)

/** Where ffmpeg is, and what it says of itself. */
export interface Ffmpeg {
  /** Absolute path, or a name that PATH resolves. */
  path: string
  /** First line of `ffmpeg -version`. */
  version: string
}

/** Path of ffmpeg-static's binary; undefined where the optional dependency, or its download, is missing. */
async function staticPath(): Promise<string | undefined> {
  try {
    // The name in a variable: types of a package that may be missing cannot be asked for.
    const name: string = 'ffmpeg-static'
    const module: { default?: unknown } = await import(name)
    return typeof module.default === 'string' ? module.default : undefined
  } catch (error) {
    // An optional dependency: its absence is a normal state, anything else about it is not worth stopping for.
    if (error instanceof Error) return undefined
    throw error
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['-hide_banner', '-version'], { timeout: 10_000 })
    const line = stdout.split('\n', 1)[0]?.trim()
    return line?.startsWith('ffmpeg version') ? line : undefined
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

/**
 * The first ffmpeg that runs, in the order FFMPEG_PATH, ffmpeg-static, PATH.
 * @throws PorchlightError `ffmpeg_missing`
 */
export async function findFfmpeg(env: NodeJS.ProcessEnv): Promise<Ffmpeg> {
  for (const path of ffmpegCandidates(env, await staticPath())) {
    const version = await versionOf(path)
    if (version !== undefined) return { path, version }
  }
  throw new PorchlightError('ffmpeg_missing')
}
