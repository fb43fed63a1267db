import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newestSchema } from '../../../../gateway/store/migrations.ts'
import { openStore } from '../../../../gateway/store/open-store.ts'

let directory: string
const log = { debug: () => undefined }

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'porchlight-store-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const camera = { id: 'door.front', device: 'door', state_json: '{}', last_picture_at: null, updated_at: 1.5 }

test('what was written is there after closing and opening again', async () => {
  const path = join(directory, 'new', 'index.sqlite')
  {
    await using store = await openStore(path, log)
    await store.db.insertInto('cameras').values(camera).execute()
  }
  await using store = await openStore(path, log)
  expect(await store.db.selectFrom('cameras').selectAll().execute()).toEqual([camera])
})

test('inserted ids come back, and rows belonging to a deleted file go with it', async () => {
  await using store = await openStore(join(directory, 'index.sqlite'), log)
  const { db } = store
  const file = { camera: 'a.b', path: 'x', created_at: 1, base_ms: 1, init_bytes: 1, config: 'c', closed: 0 }
  const { insertId } = await db.insertInto('files').values(file).executeTakeFirstOrThrow()
  expect(Number(insertId)).toBeGreaterThan(0)
  const part = { camera: 'a.b', run: 'r', first_frame: 1, last_frame: 2, keyframe: 1, start_ms: 1, end_ms: 2 }
  await db
    .insertInto('parts')
    .values({ ...part, file_id: Number(insertId), audio_json: '[]', offset: 0, bytes: 1, generation: 0 })
    .execute()
  await db.deleteFrom('files').execute()
  expect(await db.selectFrom('parts').selectAll().execute()).toEqual([])
})

test('a transaction that fails leaves nothing behind', async () => {
  await using store = await openStore(join(directory, 'index.sqlite'), log)
  const attempt = store.db.transaction().execute(async (transaction) => {
    await transaction.insertInto('cameras').values(camera).execute()
    await transaction.insertInto('cameras').values(camera).execute()
  })
  await expect(attempt).rejects.toMatchObject({ code: 'index_failed' })
  expect(await store.db.selectFrom('cameras').selectAll().execute()).toEqual([])
})

test('two programs use the same index at the same time', async () => {
  const path = join(directory, 'index.sqlite')
  await using gateway = await openStore(path, log)
  await using commandLine = await openStore(path, log)
  await Promise.all(
    [gateway, commandLine].flatMap((store, side) =>
      Array.from({ length: 20 }, (_, index) =>
        store.db.transaction().execute(async (transaction) => {
          await transaction.selectFrom('settings').selectAll().execute()
          await transaction
            .insertInto('settings')
            .values({ key: `${side}-${index}`, value: 'x' })
            .execute()
        }),
      ),
    ),
  )
  expect(await gateway.db.selectFrom('settings').selectAll().execute()).toHaveLength(40)
})

test('an index of a newer Porchlight is left alone', async () => {
  const path = join(directory, 'index.sqlite')
  await (await openStore(path, log)).close()
  const raw = new DatabaseSync(path)
  raw.exec(`update schema_version set version = ${newestSchema + 1}`)
  raw.close()
  await expect(openStore(path, log)).rejects.toMatchObject({ code: 'index_newer' })
})

test('what is no index is refused with a code, and so is a path that cannot be made', async () => {
  const path = join(directory, 'index.sqlite')
  await writeFile(path, 'this is no database, but a file of some length'.repeat(20))
  await expect(openStore(path, log)).rejects.toMatchObject({ code: 'index_failed' })
  await expect(openStore(join(path, 'below', 'index.sqlite'), log)).rejects.toMatchObject({ code: 'index_failed' })
})

test('closing twice is fine; asking afterwards is an error with a code', async () => {
  const store = await openStore(join(directory, 'index.sqlite'), log)
  await store.close()
  await store.close()
  await expect(store.db.selectFrom('settings').selectAll().execute()).rejects.toThrow()
})
