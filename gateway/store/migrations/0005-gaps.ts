import type { Kysely } from 'kysely'

/** Frames that were to be recorded and will never come, and why. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('gaps')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('camera', 'text', (column) => column.notNull())
    .addColumn('run', 'text', (column) => column.notNull())
    .addColumn('from_frame', 'integer', (column) => column.notNull())
    .addColumn('to_frame', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('at', 'real', (column) => column.notNull())
    .execute()
  await schema.createIndex('gaps_by_frame').on('gaps').columns(['camera', 'run', 'from_frame']).execute()
}
