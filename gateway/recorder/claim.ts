import type { Kysely } from 'kysely'
import { newSecret } from '../identity/secrets.ts'
import type { Schema } from '../store/schema.ts'
import type { DirectoryClaim } from './recordings-directory.ts'

const settingKey = 'recordings_identity'
/** Files of the index that are looked for in a directory that has no identity. */
const maxKnown = 64

/** What the index says of its recordings directory. @throws PorchlightError `index_failed` */
export async function readClaim(db: Kysely<Schema>): Promise<DirectoryClaim> {
  const setting = await db.selectFrom('settings').select('value').where('key', '=', settingKey).executeTakeFirst()
  const known = await db.selectFrom('files').select('path').orderBy('id', 'desc').limit(maxKnown).execute()
  return { expected: setting?.value, fresh: newSecret().slice(0, 22), known: known.map(({ path }) => path) }
}

/** The index belongs to the directory of this identity from now on. @throws PorchlightError `index_failed` */
export async function keepIdentity(db: Kysely<Schema>, identity: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key: settingKey, value: identity })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: identity }))
    .execute()
}
