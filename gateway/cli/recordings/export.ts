import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { recordingsDirectory } from '../../config/derived.ts'
import type { Movie } from '../../playback/movie.ts'
import { Playback } from '../../playback/playback.ts'
import type { Command } from '../commands.ts'
import { ProgressBar } from '../progress.ts'
import { one } from '../words.ts'

export const exportRecording: Command = {
  usage: 'export --event <id> <file>',
  summary: "writes an event's recording as one MP4",
  async run({ words, flags, config, db, now, terminal, out }) {
    const path = one(words, 'the name of the file')
    const event = one(flags.get('event') ?? [], '--event')
    const directory = recordingsDirectory(config)
    const playback = new Playback({ db, directory, isActive: () => false, now })
    const movie = await playback.movie(event)
    using bar = new ProgressBar(terminal, 'exporting')
    await save(movie, path, (done) => bar.at(done, movie.bytes))
    bar.clear()
    out(`${path}: ${movie.bytes} bytes`)
  },
}

/** Writes the movie beside the file, then in its place: what stands there is whole, or was there before. */
async function save(movie: Movie, path: string, onProgress: (done: number) => void): Promise<void> {
  const temporary = `${path}.part`
  let file: FileHandle | undefined
  try {
    file = await open(temporary, 'wx')
    let done = 0
    for await (const piece of movie.read(0, movie.bytes - 1)) {
      await file.writeFile(piece)
      done += piece.byteLength
      onProgress(done)
    }
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (cause) {
    await file?.close()
    if (file) await rm(temporary, { force: true })
    if (cause instanceof PorchlightError) throw cause
    throw new PorchlightError('export_failed', cause instanceof Error ? cause.message : path, { cause })
  }
}
