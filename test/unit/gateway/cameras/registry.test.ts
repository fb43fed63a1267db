import type { CameraState, Cameras } from '@porchlight/proto/messages/cameras.ts'
import type { CameraNotice } from '@porchlight/proto/messages/notice.ts'
import type { Presence } from '@porchlight/proto/messages/presence.ts'
import { describe, expect, it } from 'vitest'
import { CameraRegistry } from '../../../../gateway/cameras/registry.ts'
import { memoryIndex } from '../../../support/memory-index.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const envelope = { v: 1, id: 'message-1', ts: 0, from: 'porch' } as const
const door: CameraState = {
  camera: 'door',
  title: 'Front door',
  kind: 'doorbell',
  state: 'live',
  motion: 'on',
  notes: [],
}

const presence = (epoch: number, online: boolean): Presence => ({
  ...envelope,
  type: 'presence',
  online,
  bootId: 'boot-1234',
  epoch,
  version: '0.1.0',
})
const list = (...cameras: CameraState[]): Cameras => ({ ...envelope, type: 'cameras', bootId: 'boot-1234', cameras })

async function setUp() {
  const db = await memoryIndex()
  await db.insertInto('devices').values({ name: 'porch', public_key: 'x', enrolled_at: 0, revoked_at: null }).execute()
  const registry = new CameraRegistry({ db, log: quietLog, now: () => 0 })
  const told: CameraNotice[] = []
  registry.onChange((notice) => told.push(notice))
  return { db, registry, told }
}

describe('CameraRegistry', () => {
  it('counts nobody as connected while the broker is out of reach, until they are heard anew', async () => {
    const { registry } = await setUp()
    const heard: boolean[] = []
    registry.onOnline((_, online) => heard.push(online))
    registry.presence('porch', presence(4, true))
    registry.cameras('porch', list(door))
    registry.unheard()
    registry.unheard()
    expect(registry.get('porch.door').online).toBe(false)
    registry.presence('porch', presence(3, true)) // kept by the broker from long ago
    expect(registry.isOnline('porch')).toBe(false)
    registry.presence('porch', presence(4, true))
    expect(registry.get('porch.door').online).toBe(true)
    registry.unheard()
    registry.presence('porch', presence(4, false))
    expect(registry.isOnline('porch')).toBe(false)
    registry.presence('porch', presence(4, true)) // late, from before its end
    expect(registry.isOnline('porch')).toBe(false)
    expect(heard).toEqual([true, false, true, false, false])
  })

  it('merges presence, state, viewers and recording, and tells each change once', async () => {
    const { registry, told } = await setUp()
    registry.presence('porch', presence(1, true))
    registry.cameras('porch', list(door))
    registry.cameras('porch', list({ ...door }))
    registry.viewers('porch.door', 2)
    registry.viewers('porch.door', 2)
    registry.recording('porch.door', { recording: true })
    registry.recording('porch.door', { recording: false, error: 'disk_full' })
    expect(told).toHaveLength(4)
    expect(registry.get('porch.door')).toEqual({
      type: 'camera',
      id: 'porch.door',
      title: 'Front door',
      kind: 'doorbell',
      state: 'live',
      motion: 'on',
      notes: [],
      online: true,
      lastPictureAt: null,
      viewers: 2,
      recording: false,
      recordingError: 'disk_full',
    })
    await registry.close()
  })

  it('says offline when the device goes, and not for an older farewell', async () => {
    const { registry } = await setUp()
    const seen: [string, boolean][] = []
    registry.onOnline((device, online) => seen.push([device, online]))
    registry.presence('porch', presence(2, true))
    registry.cameras('porch', list(door))
    expect(registry.presence('porch', presence(1, false))).toBe(false)
    expect(registry.get('porch.door').online).toBe(true)
    expect(registry.presence('porch', presence(2, false))).toBe(true)
    expect(registry.get('porch.door').online).toBe(false)
    expect(seen).toEqual([
      ['porch', true],
      ['porch', false],
    ])
    await registry.close()
  })

  it('knows the house again after a restart, with the age of the last picture', async () => {
    const { db, registry } = await setUp()
    registry.cameras('porch', list(door))
    registry.picture('porch.door', 50_000)
    registry.picture('porch.door', 51_000)
    registry.picture('porch.door', 49_000)
    await registry.close()
    const again = new CameraRegistry({ db, log: quietLog, now: () => 0 })
    await again.load()
    expect(again.list()).toMatchObject([{ id: 'porch.door', online: false, lastPictureAt: 51_000 }])
    await again.close()
  })

  it('forgets cameras that a device does not list any more, and revoked devices', async () => {
    const { db, registry } = await setUp()
    registry.cameras('porch', list(door, { ...door, camera: 'yard' }))
    registry.cameras('porch', list(door))
    expect(registry.list().map((camera) => camera.id)).toEqual(['porch.door'])
    registry.forgetDevice('porch')
    expect(registry.list()).toEqual([])
    expect(() => registry.get('porch.door')).toThrow(expect.objectContaining({ code: 'camera_not_found' }))
    await registry.close()
    expect(await db.selectFrom('cameras').selectAll().execute()).toEqual([])
  })

  it('lets an enrolled-anew device count its epochs from the start', async () => {
    const { registry } = await setUp()
    registry.presence('porch', presence(40, true))
    registry.forgetDevice('porch')
    expect(registry.presence('porch', presence(0, true))).toBe(true)
    await registry.close()
  })
})
