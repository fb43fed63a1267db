import type { Kysely } from 'kysely'
import type { Schema } from '../../store/schema.ts'
import type { Command } from '../commands.ts'
import { parseMoment } from '../moment.ts'
import { mustBeCamera, none, one } from '../words.ts'

/** Files that are read from the index at a time. */
const pageSize = 1_000

interface Wanted {
  cameras: readonly string[]
  fromMs: number
  toMs: number
}

export const ls: Command = {
  usage: 'ls [--camera <device.camera>] [--from <time>] [--to <time>]',
  summary: 'lists the files of recordings: first picture, end of the last, bytes, camera, path',
  async run({ words, flags, db, out }) {
    none(words)
    const cameras = flags.get('camera') ?? []
    cameras.forEach(mustBeCamera)
    const time = (flag: string, otherwise: number) =>
      flags.has(flag) ? parseMoment(one(flags.get(flag)!, `--${flag}`)) : otherwise
    const wanted = { cameras, fromMs: time('from', 0), toMs: time('to', Number.MAX_SAFE_INTEGER) }
    for await (const { start, end, bytes, camera, path } of listed(db, wanted)) {
      out(`${new Date(start).toISOString()} ${new Date(end).toISOString()} ${bytes} ${camera} ${path}`)
    }
  },
}

/** Files with pictures of the wanted time, in the order in which they were made. */
async function* listed(db: Kysely<Schema>, { cameras, fromMs, toMs }: Wanted) {
  for (let after = 0; ; ) {
    let query = db
      .selectFrom('files')
      .innerJoin('parts', 'parts.file_id', 'files.id')
      .select(({ fn }) => [
        'files.id',
        'files.camera',
        'files.path',
        fn.min('parts.start_ms').as('start'),
        fn.max('parts.end_ms').as('end'),
        fn.sum<number>('parts.bytes').as('bytes'),
      ])
      .where('files.id', '>', after)
      .where('parts.end_ms', '>', fromMs)
      .where('parts.start_ms', '<', toMs)
      .groupBy('files.id')
      .orderBy('files.id')
      .limit(pageSize)
    if (cameras.length > 0) query = query.where('files.camera', 'in', cameras)
    const page = await query.execute()
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return
    after = last.id
  }
}
