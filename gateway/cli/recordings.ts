import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Command } from './commands.ts'
import { adopt } from './recordings/adopt.ts'
import { exportRecording } from './recordings/export.ts'
import { fsckRecordings } from './recordings/fsck.ts'
import { ls } from './recordings/ls.ts'
import { prune } from './recordings/prune.ts'

/** What can be done with recordings. */
const subcommands: Readonly<Record<string, Command>> = {
  ls,
  export: exportRecording,
  fsck: fsckRecordings,
  adopt,
  prune,
}

export const recordings: Command = {
  usage: `recordings ${Object.keys(subcommands).join('|')} …`,
  summary: Object.values(subcommands)
    .map(({ usage, summary }) => `${usage}: ${summary}`)
    .join('\n    '),
  async run(tools) {
    const [name = '', ...words] = tools.words
    const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined
    if (subcommand === undefined)
      throw new PorchlightError('request_invalid', `recordings ${Object.keys(subcommands).join('|')}`)
    await subcommand.run({ ...tools, words })
  },
}
