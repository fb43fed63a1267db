import type { Kysely } from 'kysely'
import type { Schema } from '../../store/schema.ts'

/**
 * Forgets gaps of times of which neither a recording nor an event is left: a gap is told after its time, so it is older
 * than all that is kept where it was told before.
 * @throws PorchlightError `index_failed`
 */
export async function forgetGaps(db: Kysely<Schema>): Promise<void> {
  const cameras = await db.selectFrom('gaps').select('camera').distinct().execute()
  for (const { camera } of cameras) {
    const { file } = await db
      .selectFrom('files')
      .select(({ fn }) => fn.min('created_at').as('file'))
      .where('camera', '=', camera)
      .where('removing', '=', 0)
      .executeTakeFirstOrThrow()
    const { event } = await db
      .selectFrom('events')
      .select(({ fn }) => fn.min('begin_at').as('event'))
      .where('camera', '=', camera)
      .executeTakeFirstOrThrow()
    const oldest = Math.min(file ?? Number.MAX_SAFE_INTEGER, event ?? Number.MAX_SAFE_INTEGER)
    await db.deleteFrom('gaps').where('camera', '=', camera).where('at', '<', oldest).execute()
  }
}
