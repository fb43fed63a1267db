import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Event } from '@porchlight/proto/messages/event.ts'
import { beforeEach, describe, expect, it } from 'vitest'
import { OutboxFile } from '../../../../device/link/outbox-file.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const event: Event = {
  ...{ v: 1, id: 'message-1', ts: 0, from: 'porch', type: 'event', eventId: 'event-001', camera: 'door' },
  ...{ kind: 'ring', phase: 'begin', at: 0, bootId: 'boot-0001' },
}
const today = 1_800_000_000_000
let directory: string
beforeEach(async () => {
  directory = await tempDir()
})
const fileAt = (now: number) => new OutboxFile(directory, () => now, quietLog)

async function kept(now: number, ageMs: number): Promise<void> {
  const file = fileAt(now)
  file.save([{ event, ageMs }])
  await file.settled()
}

describe('OutboxFile', () => {
  it('says how old the events have become, and 0 where the clock was not set', async () => {
    await kept(today, 1_000)
    expect(fileAt(today + 500).load('porch')).toEqual([{ event, ageMs: 1_500 }])
    await kept(60_000, 1_000)
    expect(fileAt(today).load('porch')).toEqual([{ event, ageMs: 0 }])
  })

  it('gives nothing of another device, and nothing of a damaged file', async () => {
    await kept(today, 0)
    expect(fileAt(today).load('garage')).toEqual([])
    await writeFile(join(directory, 'outbox.json'), '[{"event":')
    expect(fileAt(today).load('porch')).toEqual([])
    await kept(today, 0)
    expect(fileAt(today).load('porch')).toHaveLength(1)
  })

  it('writes nothing where nothing has to wait, nor the same again', async () => {
    const file = fileAt(today)
    file.save([])
    await file.settled()
    await expect(readFile(join(directory, 'outbox.json'))).rejects.toThrow('ENOENT')
    file.save([{ event, ageMs: 0 }])
    await file.settled()
    await writeFile(join(directory, 'outbox.json'), 'as it was')
    file.save([{ event, ageMs: 7 }])
    await file.settled()
    expect(await readFile(join(directory, 'outbox.json'), 'utf8')).toBe('as it was')
  })

  it('does not throw where the disk cannot be written', async () => {
    await mkdir(join(directory, 'outbox.json'))
    await kept(today, 0)
    expect(fileAt(today).load('porch')).toEqual([])
  })
})
