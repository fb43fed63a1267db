import { Kysely, sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { migrate, newestSchema } from '../../../../gateway/store/migrations.ts'
import type { Schema } from '../../../../gateway/store/schema.ts'
import { workerDialect } from '../../../../gateway/store/sqlite-dialect.ts'
import { StoreWorker } from '../../../../gateway/store/worker-client.ts'

async function emptyIndex(): Promise<Kysely<Schema>> {
  const worker = await StoreWorker.open({ path: ':memory:', busyTimeoutMs: 0 })
  const db = new Kysely<Schema>({ dialect: workerDialect(worker) })
  onTestFinished(() => db.destroy())
  return db
}

/** Tables, columns and indexes as SQLite knows them. */
function shapeOf(db: Kysely<Schema>) {
  return (db as unknown as Kysely<{ sqlite_master: { name: string; sql: string | null } }>)
    .selectFrom('sqlite_master')
    .select(['name', 'sql'])
    .orderBy('name')
    .execute()
}

const earlier = Array.from({ length: newestSchema - 1 }, (_, index) => index + 1)

test.each(earlier)('an index of schema %i becomes what a new one is, and keeps what it knows', async (version) => {
  const db = await emptyIndex()
  const untyped = db as unknown as Kysely<unknown>
  await migrate(untyped, version)
  const device = { name: 'porch', public_key: 'k', enrolled_at: 1.5, revoked_at: null }
  await db.insertInto('devices').values(device).execute()
  await migrate(untyped)
  expect(await db.selectFrom('devices').selectAll().execute()).toEqual([device])
  const fresh = await emptyIndex()
  await migrate(fresh as unknown as Kysely<unknown>)
  expect(await shapeOf(db)).toEqual(await shapeOf(fresh))
})

test('schema 2 has one token for each camera that publishes, and each token but once', async () => {
  const db = await emptyIndex()
  await migrate(db as unknown as Kysely<unknown>, 1)
  await expect(db.selectFrom('publish_tokens').selectAll().execute()).rejects.toMatchObject({ code: 'index_failed' })
  await migrate(db as unknown as Kysely<unknown>, 2)
  const row = { camera: 'whip.studio', title: 'Studio', hash: 'h', created_at: 1 }
  await db.insertInto('publish_tokens').values(row).execute()
  for (const twice of [
    { ...row, hash: 'i' },
    { ...row, camera: 'whip.other' },
  ]) {
    await expect(db.insertInto('publish_tokens').values(twice).execute()).rejects.toMatchObject({
      code: 'index_failed',
    })
  }
})

test('the index of parts by time knows their ends: a timeline reads nothing else', async () => {
  const db = await emptyIndex()
  await migrate(db as unknown as Kysely<unknown>)
  const plan = await sql<{ detail: string }>`explain query plan select max(end_ms) over (order by start_ms)
    from parts where camera = 'door.front' and start_ms > 1 and start_ms < 2`.execute(db)
  expect(plan.rows.map(({ detail }) => detail).join('\n')).toContain('USING COVERING INDEX parts_by_time')
})
