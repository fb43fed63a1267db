import type { Kysely } from 'kysely'
import { newSecret } from '../identity/secrets.ts'
import type { Schema } from '../store/schema.ts'
import type { DirectoryClaim } from './recordings-directory.ts'

const settingKey = 'recordings_identity'
const strangersKey = 'recordings_from_before'
/** Files of the index that are looked for in a directory that has no identity. */
const maxKnown = 64

/** What the index says of its recordings directory. @throws PorchlightError `index_failed` */
export async function readClaim(db: Kysely<Schema>): Promise<DirectoryClaim> {
  const setting = await db.selectFrom('settings').select('value').where('key', '=', settingKey).executeTakeFirst()
  const known = await db.selectFrom('files').select('path').orderBy('id', 'desc').limit(maxKnown).execute()
  return { expected: setting?.value, fresh: newSecret().slice(0, 22), known: known.map(({ path }) => path) }
}

/**
 * The index belongs to the directory of this identity from now on.
 * @param strangersUntil ms since the Unix epoch: the directory is older than the index, and what was written to it before
 *   then may belong to events, and be protected, without the index knowing
 * @throws PorchlightError `index_failed`
 */
export async function keepIdentity(db: Kysely<Schema>, identity: string, strangersUntil?: number): Promise<void> {
  await keep(db, settingKey, identity)
  if (strangersUntil !== undefined) await keep(db, strangersKey, String(strangersUntil))
}

/** As {@link keepIdentity} was told; undefined where the index knows all there is to know. @throws PorchlightError `index_failed` */
export async function readStrangersUntil(db: Kysely<Schema>): Promise<number | undefined> {
  const setting = await db.selectFrom('settings').select('value').where('key', '=', strangersKey).executeTakeFirst()
  return setting && Number(setting.value)
}

async function keep(db: Kysely<Schema>, key: string, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}
