import { errors, PorchlightError } from '@porchlight/proto/errors.ts'
import { recordingsDirectory } from '../../config/derived.ts'
import { keepIdentity, readClaim } from '../../recorder/claim.ts'
import { asDiskError } from '../../recorder/disk-error.ts'
import { type Finding, fsck } from '../../recorder/fsck.ts'
import { rebuild } from '../../recorder/rebuild.ts'
import { RecordingsDirectory } from '../../recorder/recordings-directory.ts'
import type { Command, Tools } from '../commands.ts'
import { ProgressBar } from '../progress.ts'
import { none } from '../words.ts'

export const fsckRecordings: Command = {
  usage: 'fsck [--rebuild]',
  summary:
    'reads all recordings and says where index and files do not agree (gateway stopped); --rebuild makes the index anew from the files',
  async run(tools) {
    const { words, switches, config, db, terminal, out } = tools
    none(words)
    const directory = recordingsDirectory(config)
    using _held = await hold(tools, directory)
    if (switches.has('rebuild')) {
      using bar = new ProgressBar(terminal, 'rebuilding')
      const onProgress = (done: number, total: number) => bar.at(done, total)
      const { files, parts, unreadable } = await rebuild({ db, directory, onProgress })
      bar.clear()
      for (const { path, message } of unreadable) out(line({ code: 'recording_unreadable', path, detail: message }))
      out(`The index has ${parts} parts in ${files} files.`)
    }
    using bar = new ProgressBar(terminal, 'checking')
    const onFinding = (finding: Finding) => {
      bar.clear()
      out(line(finding))
    }
    const onProgress = (done: number, total: number) => bar.at(done, total)
    const { files, parts, bytes, findings } = await fsck({ db, directory, onFinding, onProgress })
    bar.clear()
    out(`${files} files, ${parts} parts, ${bytes} bytes, ${findings} differences`)
    if (findings > 0) throw new PorchlightError('recordings_differ', `${findings} differences`)
  },
}

/** Takes the directory, so that no gateway writes to it meanwhile. */
async function hold({ db }: Tools, directory: string): Promise<RecordingsDirectory> {
  const claim = await readClaim(db)
  const recordings = new RecordingsDirectory(directory)
  try {
    const identity = recordings.claim(claim)
    if (identity !== claim.expected) await keepIdentity(db, identity, identity === claim.fresh ? undefined : Date.now())
    return recordings
  } catch (error) {
    recordings.close()
    throw asDiskError(error)
  }
}

function line({ code, path, detail }: Finding): string {
  return `${code} ${path}: ${errors[code].sentence}${detail === undefined ? '' : ` (${detail})`}`
}
