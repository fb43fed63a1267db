import { PorchlightError } from '@porchlight/proto/errors.ts'
import { recordingsDirectory } from '../../config/derived.ts'
import { Clips } from '../../playback/clips.ts'
import type { Movie } from '../../playback/movie.ts'
import { Playback } from '../../playback/playback.ts'
import type { Command, Tools } from '../commands.ts'
import { Interruption } from '../interruption.ts'
import { parseMoment } from '../moment.ts'
import { ProgressBar } from '../progress.ts'
import { mustBeCamera, one } from '../words.ts'
import { saveMovie, streamMovie } from './save-movie.ts'

/** More than the gateway gives at once: a day, also when the clocks are set back. Parts of a second, and some to spare. */
const limits = { longestMs: 25 * 60 * 60_000, parts: 120_000 }
const rangeFlags = ['camera', 'from', 'to'] as const

export const exportRecording: Command = {
  usage: 'export --event <id> <file> | export --camera <device.camera> --from <time> --to <time> <file>',
  summary:
    'writes the recording of an event, or any time of a camera up to a day, as one MP4 (VP8: WebM), and its SHA-256; `-`: to standard output',
  async run(tools) {
    const path = one(tools.words, 'the name of the file')
    const movie = await wantedMovie(tools)
    using bar = new ProgressBar(tools.terminal, 'exporting')
    const onProgress = (done: number) => bar.at(done, movie.bytes)
    const said = (digest: string) => `${movie.bytes} bytes, ${movie.type}, sha-256 ${digest}`
    if (path === '-') {
      // nothing has to be taken back: a signal ends the process, also while nobody reads
      const digest = await streamMovie(movie, tools.stdout, onProgress)
      bar.clear()
      tools.terminal.write(`${said(digest)}\n`)
    } else {
      using interruption = new Interruption()
      const digest = await saveMovie(movie, path, onProgress, interruption.signal)
      bar.clear()
      tools.out(`${path}: ${said(digest)}`)
    }
  },
}

/** @throws PorchlightError `request_invalid`, `event_not_found`, `range_*`, `recording_*` */
function wantedMovie({ flags, config, db, now }: Tools): Promise<Movie> {
  const directory = recordingsDirectory(config)
  const ofRange = rangeFlags.filter((flag) => flags.has(flag))
  if (flags.has('event') && ofRange.length > 0)
    throw new PorchlightError('request_invalid', `--event or --${ofRange.join(', --')}, not both`)
  if (ofRange.length === 0) {
    const playback = new Playback({ db, directory, isActive: () => false, now })
    return playback.movie(one(flags.get('event') ?? [], '--event'))
  }
  const [camera, from, to] = rangeFlags.map((flag) => one(flags.get(flag) ?? [], `--${flag}`)) as [
    string,
    string,
    string,
  ]
  return new Clips({ db, directory, limits }).movie({
    camera: mustBeCamera(camera),
    fromMs: parseMoment(from),
    toMs: parseMoment(to),
  })
}
