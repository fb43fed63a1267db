import type { Kysely } from 'kysely'

/** Cameras that publish by WHIP, and the one token of each. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('publish_tokens')
    .addColumn('camera', 'text', (column) => column.primaryKey())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', 'real', (column) => column.notNull())
    .execute()
}
