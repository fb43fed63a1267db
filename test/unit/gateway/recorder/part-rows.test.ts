import type { KyselyPlugin } from 'kysely'
import { expect, test } from 'vitest'
import { PartRows } from '../../../../gateway/recorder/part-rows.ts'
import { memoryIndex } from '../../../support/memory-index.ts'

const row = (file: number, frame: number) => ({
  ...{ file_id: file, camera: 'door.front', run: 'boot-0001', first_frame: frame, last_frame: frame, keyframe: 1 },
  ...{ start_ms: frame, end_ms: frame + 1, audio_json: '[]', offset: frame, bytes: 1, generation: 0 },
})

async function house() {
  const db = await memoryIndex()
  await db
    .insertInto('files')
    .values({
      ...{ camera: 'door.front', path: 'a.mp4', created_at: 0, base_ms: 0, init_bytes: 1, config: '', closed: 0 },
    })
    .execute()
  let statements = 0
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => {
      statements += 1
      return node
    },
    transformResult: async ({ result }) => result,
  }
  const indexed = async () => (await db.selectFrom('parts').select('first_frame').execute()).map((of) => of.first_frame)
  return { rows: new PartRows(db.withPlugin(counting)), indexed, statements: () => statements }
}

test('what comes while a row is on its way goes into the index together', async () => {
  const { rows, indexed, statements } = await house()
  await Promise.all([0, 1, 2, 3, 4].map((frame) => rows.add(row(1, frame))))
  expect(await indexed()).toEqual([0, 1, 2, 3, 4])
  expect(statements()).toBe(2)
  await rows.add(row(1, 5))
  expect(await indexed()).toHaveLength(6)
})

test('a row that the index refuses takes no other with it', async () => {
  const { rows, indexed } = await house()
  const noSuchFile = 99
  const results = await Promise.allSettled(
    [row(1, 0), row(1, 1), row(noSuchFile, 2), row(1, 3)].map((one) => rows.add(one)),
  )
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(await indexed()).toEqual([0, 1, 3])
})
