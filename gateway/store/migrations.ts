import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type Kysely, sql } from 'kysely'
import { up as start } from './migrations/0001-start.ts'
import { up as publishTokens } from './migrations/0002-publish-tokens.ts'
import { up as retention } from './migrations/0003-retention.ts'
import { up as partEnds } from './migrations/0004-part-ends.ts'
import { up as gaps } from './migrations/0005-gaps.ts'

/** Every step from an empty file to the newest schema; the number of a step is its place, counted from 1. Never reordered. */
const steps: readonly ((db: Kysely<unknown>) => Promise<void>)[] = [start, publishTokens, retention, partEnds, gaps]

export const newestSchema = steps.length

interface VersionTable {
  schema_version: { only: number; version: number }
}

/**
 * Brings the index to schema `to` in one transaction: all of it or nothing, and two programs never at the same time.
 * @throws PorchlightError `index_newer` where a newer Porchlight has written it
 */
export async function migrate(db: Kysely<unknown>, to = newestSchema): Promise<void> {
  await db.transaction().execute(async (untyped) => {
    const transaction = untyped as Kysely<unknown> as Kysely<VersionTable>
    await sql`create table if not exists schema_version (only integer primary key check (only = 1), version integer not null)`.execute(
      transaction,
    )
    const row = await transaction.selectFrom('schema_version').select('version').executeTakeFirst()
    const version = row?.version ?? 0
    if (version > newestSchema)
      throw new PorchlightError('index_newer', `schema ${version}, this one knows ${newestSchema}`)
    if (version >= to) return
    for (const step of steps.slice(version, to)) await step(untyped)
    await transaction
      .insertInto('schema_version')
      .values({ only: 1, version: to })
      .onConflict((conflict) => conflict.column('only').doUpdateSet({ version: to }))
      .execute()
  })
}
