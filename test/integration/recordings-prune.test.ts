import { access, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { eventTopic } from '@porchlight/proto/topics.ts'
import { expect, onTestFinished, test } from 'vitest'
import { openStore } from '../../gateway/store/open-store.ts'
import { NoticePage } from '../support/notice-page.ts'
import { quietLog } from '../support/quiet-log.ts'
import { TestGateway } from '../support/test-gateway.ts'

const atEnd = onTestFinished
const dayMs = 86_400_000

/** Puts a motion event of so many days ago into the house, with a file of 2 MB. */
async function happened(gateway: TestGateway, id: string, daysAgo: number): Promise<string> {
  const at = Date.now() - daysAgo * dayMs
  const camera = 'porch.door'
  const path = `${camera}/2026-01-01/${id}-1.mp4`
  const whole = join(gateway.directory, 'recordings', path)
  await mkdir(dirname(whole), { recursive: true })
  await writeFile(whole, new Uint8Array(2_000_000))
  await using store = await openStore(join(gateway.directory, 'index.sqlite'), quietLog)
  const { db } = store
  const times = { begin_at: at, end_at: at + 5_000, record_from: at, record_to: at + 5_000 }
  await db
    .insertInto('events')
    .values({ id, camera, kind: 'motion', ...times, still_path: null })
    .execute()
  const file = { camera, path, created_at: at, base_ms: at, init_bytes: 1_000, config: 'c', closed: 1 }
  const { id: fileId } = await db.insertInto('files').values(file).returning('id').executeTakeFirstOrThrow()
  const place = { offset: 1_000, bytes: 1_999_000, generation: 0 }
  const frames = { run: id, first_frame: 1, last_frame: 75, keyframe: 1, audio_json: '[]' }
  await db
    .insertInto('parts')
    .values({ file_id: fileId, camera, ...frames, start_ms: at, end_ms: at + 5_000, ...place })
    .execute()
  return whole
}

test('`recordings prune` says what goes and why, deletes it, and leaves alone what is kept', async () => {
  const gateway = await TestGateway.open(atEnd)
  const me = await gateway.signIn()
  const [old, kept, fresh] = [
    await happened(gateway, 'event-old', 20),
    await happened(gateway, 'event-kept', 19),
    await happened(gateway, 'event-new', 1),
  ]
  const url = `${gateway.url}/api/events/event-kept/protection`
  expect((await fetch(url, { method: 'PUT', headers: me })).status).toBe(200)

  const said = ['motion     1 file (2.0 MB), older than it is kept', 'events     1, of which nothing is left']
  const dryRun = await gateway.cli('recordings', ['prune'], {}, ['dry-run'])
  expect(dryRun).toEqual([...said, '1 file (2.0 MB) would be deleted'])
  await access(old)
  expect(await gateway.cli('recordings', ['prune'])).toEqual([...said, '1 file (2.0 MB) deleted'])
  await expect(access(old)).rejects.toThrow('ENOENT')
  expect(await gateway.cli('recordings', ['prune'])).toEqual(['nothing deleted'])

  await access(kept)
  expect((await fetch(url, { method: 'DELETE', headers: me })).status).toBe(200)
  expect(await gateway.cli('recordings', ['prune'])).toEqual([...said, '1 file (2.0 MB) deleted'])
  await expect(access(kept)).rejects.toThrow('ENOENT')
  await access(fresh)
})

test('`recordings prune` says when kept recordings leave no room', async () => {
  const gateway = await TestGateway.open(atEnd, { recordings: { retention: { gigabytes: 0.002 } } })
  const me = await gateway.signIn()
  const path = await happened(gateway, 'event-kept', 1)
  await fetch(`${gateway.url}/api/events/event-kept/protection`, { method: 'PUT', headers: me })
  await expect(gateway.cli('recordings', ['prune'])).rejects.toMatchObject({ code: 'protected_full' })
  await access(path)
})

test('only the owner keeps events, and open pages are told', async () => {
  const gateway = await TestGateway.open(atEnd)
  const porch = await gateway.enrol('porch')
  const me = await gateway.signIn()
  const device = await porch.come(atEnd)
  const page = await NoticePage.open(gateway, me, atEnd)
  const begin = { type: 'event', eventId: 'event-001', camera: 'door', kind: 'ring', phase: 'begin', at: Date.now() }
  await porch.publish(device, eventTopic('porch'), { ...begin, bootId: 'boot-1234' })
  await page.notice(({ type }) => type === 'event')

  const [token] = await gateway.cli('token', [], { camera: ['porch.door'] })
  const ask = (method: string, headers: Record<string, string>, id = 'event-001') =>
    fetch(`${gateway.url}/api/events/${id}/protection`, { method, headers })
  expect((await ask('PUT', {})).status).toBe(401)
  expect((await ask('PUT', { authorization: `Bearer ${token}` })).status).toBe(403)
  expect((await ask('PUT', me, 'event-none')).status).toBe(404)

  const list = async () =>
    (await (await fetch(`${gateway.url}/api/events`, { headers: me })).json()) as { events: { protected: boolean }[] }
  expect(await (await ask('PUT', me)).json()).toMatchObject({ eventId: 'event-001', protected: true })
  await page.notice(({ type, protected: isProtected }) => type === 'event' && isProtected === true)
  expect((await list()).events).toMatchObject([{ protected: true }])
  // its end says nothing else
  await porch.publish(device, eventTopic('porch'), { ...begin, phase: 'end', bootId: 'boot-1234' })
  await page.notice(({ type, end, protected: isProtected }) => type === 'event' && end !== null && isProtected === true)
  expect(await (await ask('DELETE', me)).json()).toMatchObject({ protected: false })
  expect((await list()).events).toMatchObject([{ protected: false }])
})
