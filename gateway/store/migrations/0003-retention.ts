import { type Kysely, sql } from 'kysely'

/** What is kept for good, and what deciding about the rest needs to know of a file without reading its parts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .alterTable('events')
    .addColumn('protected', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await schema
    .alterTable('files')
    .addColumn('removing', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await schema.alterTable('files').addColumn('bytes', 'integer').execute()
  await schema.alterTable('files').addColumn('start_ms', 'real').execute()
  await schema.alterTable('files').addColumn('end_ms', 'real').execute()
  await schema
    .createIndex('events_protected')
    .on('events')
    .columns(['camera'])
    .where(sql.ref('protected'), '=', 1)
    .execute()
  await schema.createIndex('files_removing').on('files').columns(['id']).where(sql.ref('removing'), '=', 1).execute()
  await schema.createIndex('files_not_summed').on('files').columns(['id']).where(sql.ref('bytes'), 'is', null).execute()
  await schema.createIndex('files_by_time').on('files').columns(['camera', 'start_ms']).execute()
}
