import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { SpeakerConfig } from '../config.ts'
import { bad, type Finding, good } from './check.ts'

/** Tries what can be tried without the camera: half a second of silence on the sound card, or whether a file can be written. */
export async function examineSpeaker(speaker: SpeakerConfig): Promise<Finding> {
  if (speaker.type === 'alsa') {
    const format = ['-t', 'raw', '-f', 'S16_LE', '-r', '48000', '-c', '1']
    try {
      await promisify(execFile)('aplay', ['-q', '-D', speaker.device, ...format, '-d', '1', '/dev/zero'], {
        timeout: 5_000,
      })
      return good(`ALSA device ${speaker.device} plays`)
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (missing) return bad('aplay is missing', 'apt install alsa-utils')
      return bad(
        `ALSA device ${speaker.device} does not play`,
        'See `aplay -L` for the devices there are (speaker.device).',
      )
    }
  }
  if (speaker.type === 'wav') {
    const directory = dirname(speaker.path ?? '.')
    return access(directory, constants.W_OK).then(
      () => good(`talk is written to ${speaker.path}`),
      () => bad(`${directory} cannot be written`, 'Choose another speaker.path.'),
    )
  }
  if (speaker.type === 'none') return good('none is configured')
  return good("the camera's own, if it has one (see above)")
}

/** The program that watches a button. */
export async function examineButton(): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)('gpiomon', ['--version'], { timeout: 5_000 })
    return good(stdout.split('\n', 1)[0] ?? 'gpiomon is there')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return missing
      ? bad('gpiomon is missing', 'apt install gpiod')
      : bad('gpiomon does not run', 'See `gpiomon --version`.')
  }
}
