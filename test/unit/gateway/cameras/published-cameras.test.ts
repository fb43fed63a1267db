import type { CameraNotice } from '@porchlight/proto/messages/notice.ts'
import { expect, onTestFinished, test } from 'vitest'
import { PublishTokens } from '../../../../gateway/auth/publish-tokens.ts'
import { PublishedCameras } from '../../../../gateway/cameras/published-cameras.ts'
import { CameraRegistry } from '../../../../gateway/cameras/registry.ts'
import { memoryIndex } from '../../../support/memory-index.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const studio = { id: 'whip.studio', title: 'The studio' }
const garden = { id: 'whip.garden', title: 'Garden' }

async function setUp() {
  const db = await memoryIndex()
  const registry = new CameraRegistry({ db, log: quietLog, now: () => 0 })
  onTestFinished(() => registry.close())
  const told: CameraNotice[] = []
  registry.onChange((notice) => told.push(notice))
  return { db, registry, told, published: new PublishedCameras(registry) }
}

test('stands in the list like any other: offline, on the air, offline', async () => {
  const { registry, published, told } = await setUp()
  published.present([studio])
  expect(registry.get('whip.studio')).toMatchObject({ title: 'The studio', kind: 'camera', online: false })
  published.onAir('whip.studio', { video: 'vp9', audio: 'opus' })
  const { state, online, video, audio } = registry.get('whip.studio')
  expect([state, online, video?.codec, audio]).toEqual(['live', true, 'vp9', 'opus'])
  published.present([studio])
  published.onAir('whip.studio', undefined)
  expect(registry.get('whip.studio')).not.toHaveProperty('video')
  expect(told.map((notice) => notice.online)).toEqual([false, true, false])
})

test('each is online by itself, and follows its title', async () => {
  const { registry, published } = await setUp()
  published.present([studio, garden])
  published.onAir('whip.studio', { video: 'h264', audio: undefined })
  published.present([{ ...studio, title: 'Shed' }, garden])
  expect(registry.list().map(({ title, online }) => [title, online])).toEqual([
    ['Garden', false],
    ['Shed', true],
  ])
})

test('is forgotten when it is no more, and comes back as if new', async () => {
  const { registry, published } = await setUp()
  const forgotten: string[] = []
  registry.onForget((id) => forgotten.push(id))
  published.present([studio])
  published.present([])
  expect([registry.list(), forgotten]).toEqual([[], ['whip.studio']])
  // Its session ends a moment later.
  published.onAir('whip.studio', undefined)
  expect(registry.list()).toEqual([])
  published.present([studio])
  expect(registry.get('whip.studio').online).toBe(false)
})

test('is known to a gateway that starts anew, with its last picture, as long as it has a token', async () => {
  const { db, registry, published } = await setUp()
  const tokens = new PublishTokens({ db, now: () => 0 })
  await tokens.make('studio', 'The studio')
  published.present(await tokens.list())
  published.onAir('whip.studio', { video: 'h264', audio: undefined })
  registry.picture('whip.studio', 20_000)
  await registry.close()

  const next = new CameraRegistry({ db, log: quietLog, now: () => 0 })
  await next.load()
  new PublishedCameras(next).present(await tokens.list())
  expect(next.list()).toMatchObject([{ id: 'whip.studio', online: false, state: 'connecting', lastPictureAt: 20_000 }])
  await next.close()

  await tokens.revoke('studio')
  const last = new CameraRegistry({ db, log: quietLog, now: () => 0 })
  await last.load()
  expect(last.list()).toEqual([])
})
