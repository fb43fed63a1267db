import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Movie } from '../../playback/movie.ts'
import { hasErrno } from '../../recorder/disk-error.ts'

/** @param done bytes so far */
type OnProgress = (done: number) => void

/**
 * Writes a movie beside the file, then in its place: what stands there is whole, or was there before.
 * @param signal ends it: nothing of it stays
 * @returns its SHA-256, hex
 * @throws PorchlightError `export_failed`, `recording_not_found`
 */
export async function saveMovie(
  movie: Movie,
  path: string,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<string> {
  const temporary = `${path}.part`
  let file: FileHandle | undefined
  try {
    file = await open(temporary, 'wx')
    const hash = createHash('sha256')
    for await (const piece of pieces(movie, onProgress)) {
      if (signal.aborted) throw new PorchlightError('export_failed', 'it was interrupted')
      await file.writeFile(piece)
      hash.update(piece)
    }
    await file.sync()
    await file.close()
    await rename(temporary, path)
    return hash.digest('hex')
  } catch (cause) {
    await file?.close()
    if (file) await rm(temporary, { force: true })
    if (hasErrno(cause, 'EEXIST'))
      throw new PorchlightError('export_failed', `${temporary} is there: of another export, or of one that was cut off`)
    throw failure(cause)
  }
}

/**
 * Writes a movie to a stream, which stays open.
 * @returns its SHA-256, hex
 * @throws PorchlightError `export_failed`, `recording_not_found`
 */
export async function streamMovie(movie: Movie, stream: Writable, onProgress: OnProgress): Promise<string> {
  const hash = createHash('sha256')
  async function* hashed() {
    for await (const piece of pieces(movie, onProgress)) {
      hash.update(piece)
      yield piece
    }
  }
  try {
    await pipeline(hashed, stream, { end: false })
    return hash.digest('hex')
  } catch (cause) {
    throw failure(cause)
  }
}

async function* pieces(movie: Movie, onProgress: OnProgress): AsyncGenerator<Uint8Array> {
  let done = 0
  for await (const piece of movie.read(0, movie.bytes - 1)) {
    yield piece
    done += piece.byteLength
    onProgress(done)
  }
}

function failure(cause: unknown): PorchlightError {
  if (cause instanceof PorchlightError) return cause
  return new PorchlightError('export_failed', cause instanceof Error ? cause.message : String(cause), { cause })
}
