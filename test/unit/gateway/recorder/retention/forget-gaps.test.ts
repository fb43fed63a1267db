import { expect, test } from 'vitest'
import { forgetGaps } from '../../../../../gateway/recorder/retention/forget-gaps.ts'
import { memoryIndex } from '../../../../support/memory-index.ts'

test('gaps of times of which nothing is left are forgotten; where a recording or an event is, they stay', async () => {
  const db = await memoryIndex()
  const gap = { run: 'boot-0001', from_frame: 1, to_frame: 2, reason: 'not_kept' }
  const cameras = ['door.front', 'door.back', 'yard.east']
  const at = [100, 200, 300]
  await db
    .insertInto('gaps')
    .values(cameras.flatMap((camera) => at.map((ms) => ({ ...gap, camera, at: ms }))))
    .execute()
  const file = { camera: 'door.front', base_ms: 1, init_bytes: 1, config: 'c', closed: 1, removing: 0 }
  await db
    .insertInto('files')
    .values([
      { ...file, path: 'a', created_at: 90, removing: 1 },
      { ...file, path: 'b', created_at: 150 },
      { ...file, path: 'c', created_at: 400 },
    ])
    .execute()
  await db
    .insertInto('events')
    .values({
      ...{ id: 'event-01', camera: 'door.back', kind: 'ring', begin_at: 250, end_at: 260 },
      ...{ record_from: 240, record_to: 270, still_path: null },
    })
    .execute()
  await forgetGaps(db)
  const left = await db.selectFrom('gaps').select(['camera', 'at']).orderBy('at').execute()
  expect(left).toEqual([
    { camera: 'door.front', at: 200 },
    { camera: 'door.front', at: 300 },
    { camera: 'door.back', at: 300 },
  ])
})
