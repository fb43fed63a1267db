import type { Kysely } from 'kysely'

/** The index of parts by time knows their ends, too: a day's timeline is made without reading the parts themselves. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('parts_by_time').execute()
  await db.schema.createIndex('parts_by_time').on('parts').columns(['camera', 'start_ms', 'end_ms']).execute()
}
