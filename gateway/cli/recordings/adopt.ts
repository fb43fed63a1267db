import { recordingsDirectory } from '../../config/derived.ts'
import { newSecret } from '../../identity/secrets.ts'
import { keepIdentity } from '../../recorder/claim.ts'
import { asDiskError } from '../../recorder/disk-error.ts'
import { RecordingsDirectory } from '../../recorder/recordings-directory.ts'
import type { Command } from '../commands.ts'
import { none } from '../words.ts'

export const adopt: Command = {
  usage: 'adopt',
  summary: 'takes the recordings directory as it is now for the one that is meant: after a change of its disk',
  async run({ words, config, db, out }) {
    none(words)
    const directory = recordingsDirectory(config)
    using recordings = new RecordingsDirectory(directory)
    let identity: string
    try {
      identity = recordings.adopt(newSecret().slice(0, 22))
    } catch (error) {
      throw asDiskError(error)
    }
    await keepIdentity(db, identity, Date.now())
    out(`${directory} is written to from now on.`)
  },
}
