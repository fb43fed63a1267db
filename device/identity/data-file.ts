import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'

/** Text of a file in the data directory; undefined where there is none. @throws PorchlightError `identity_unreadable` */
export function readDataFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new PorchlightError('identity_unreadable', path, { cause })
  }
}

/**
 * Writes a small file that only this user may read, so that after a power cut either the old or the new text is there.
 * @throws PorchlightError `identity_unreadable` where the directory cannot be written
 */
export async function writeDataFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile(text)
    await file.sync()
    await rename(temporary, path)
  } catch (cause) {
    throw new PorchlightError('identity_unreadable', `${path} cannot be written`, { cause })
  }
}

/** Makes the data directory at start, so that a wrong path is told at once. @throws PorchlightError `identity_unreadable` */
export function makeDataDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new PorchlightError('identity_unreadable', path, { cause })
  }
}
