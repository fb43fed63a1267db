import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { gatewayConfigSchema } from '../../gateway/config/schema.ts'
import { keepIdentity } from '../../gateway/recorder/claim.ts'
import { RecordingsDirectory } from '../../gateway/recorder/recordings-directory.ts'
import { decideHere } from '../../gateway/recorder/retention/decide.ts'
import { retentionLimits } from '../../gateway/recorder/retention/limits.ts'
import { startNode } from '../support/child.ts'
import { videoUnits } from '../support/coded-samples.ts'
import { footageBody } from '../support/footage-body.ts'
import {
  beginEvent,
  camera,
  type RecorderHouse,
  recordedPictures,
  recorderHouse,
  unitHash,
} from '../support/recorder-house.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = 'boot-0001'
const startMs = 1_700_000_000_000
const units = await videoUnits({ seconds: 3 })
const all = units.map(unitHash)

/** A recorder with three seconds of one event on its disk. */
async function recorded(): Promise<RecorderHouse> {
  const home = await recorderHouse()
  await beginEvent(home, 'event-01', startMs)
  await home.recorder.footage(camera, footageBody(run, units))
  return home
}

async function reopened({ directory, db }: RecorderHouse): Promise<RecorderHouse> {
  return recorderHouse({ directory, db })
}

const later = async () => footageBody(run, await videoUnits({ seconds: 1, firstFrame: 100, startMs: startMs + 4_000 }))

test('an empty directory in place of the recordings (a disk that is not mounted) is not written to', async () => {
  const home = await recorded()
  await home.recorder.close()
  const away = `${home.directory}-away`
  await rename(home.directory, away)
  await mkdir(home.directory)
  const after = await reopened(home)
  const states: (string | undefined)[] = []
  after.recorder.onState((_, state) => states.push(state.error))
  await expect(after.recorder.footage(camera, await later())).rejects.toMatchObject({
    code: 'recordings_missing',
    message: expect.stringContaining('gateway recordings adopt'),
    retryable: true,
  })
  expect(states).toContain('recordings_missing')
  expect(await readdir(home.directory)).toEqual([])
  expect(await after.db.selectFrom('parts').selectAll().execute()).not.toEqual([])
  // mounted after all
  await rm(home.directory, { recursive: true })
  await rename(away, home.directory)
  await after.recorder.footage(camera, await later())
  expect(states.at(-1)).toBeUndefined()
  expect(await recordedPictures(after, 'event-01')).toEqual(expect.arrayContaining(all))
})

test('the disk of other recordings is not written to, also where it comes while the gateway runs', async () => {
  const home = await recorded()
  const other = await recorded()
  await other.recorder.close()
  const away = `${home.directory}-away`
  await rename(home.directory, away)
  await rename(other.directory, home.directory)
  const before = await readdir(home.directory, { recursive: true })
  await expect(home.recorder.footage(camera, await later())).rejects.toMatchObject({ code: 'recordings_foreign' })
  expect(await readdir(home.directory, { recursive: true })).toEqual(before)
  await home.recorder.close()
  // nor after a restart, until its owner says that it is meant
  const after = await reopened(home)
  await expect(after.recorder.footage(camera, await later())).rejects.toMatchObject({ code: 'recordings_foreign' })
  await rename(home.directory, other.directory)
  await rename(away, home.directory)
  await after.recorder.footage(camera, await later())
})

test('an index from before there were identities takes the directory that has its files, and no empty one', async () => {
  const home = await recorded()
  await home.recorder.close()
  await home.db.deleteFrom('settings').execute()
  await rm(join(home.directory, '.porchlight.json'))
  const away = `${home.directory}-away`
  await rename(home.directory, away)
  const without = await reopened(home)
  await expect(without.recorder.footage(camera, await later())).rejects.toMatchObject({ code: 'recordings_missing' })
  await without.recorder.close()
  await rename(away, home.directory)
  const after = await reopened(home)
  await after.recorder.footage(camera, await later())
})

test('of two gateways on one directory the second refuses, until the first has ended, in whatever way', async () => {
  const home = await recorded()
  const { db, directory } = home
  await expect(recorderHouse({ directory })).rejects.toMatchObject({ code: 'recordings_in_use' })
  await home.recorder.close()
  const program = `
    const { RecordingsDirectory } = await import(${JSON.stringify(new URL('../../gateway/recorder/recordings-directory.ts', import.meta.url).href)})
    globalThis.held = new RecordingsDirectory(${JSON.stringify(directory)})
    held.adopt('some-identity')
    console.log(JSON.stringify({ held: true }))
    setInterval(() => {}, 1000)`
  const file = join(await tempDir(), 'holder.mjs')
  await writeFile(file, program)
  const holder = startNode(file, {}, onTestFinished)
  await holder.json((line) => line.held === true)
  await expect(recorderHouse({ directory, db })).rejects.toMatchObject({ code: 'recordings_in_use' })
  await holder.kill()
  const after = await recorderHouse({ directory, db })
  await after.recorder.footage(camera, await later())
})

test('an index that was made anew keeps what it meets as long as a ring: what it was recorded for is not known any more', async () => {
  const home = await recorded()
  await home.recorder.close()
  const { db } = await recorderHouse({ directory: home.directory })
  const decide = decideHere(db, retentionLimits(gatewayConfigSchema.parse({}).recordings.retention))
  const removals = async (inDays: number) => {
    const disk = { freeBytes: 1e12, totalBytes: 1e12 }
    return (await decide({ disk, now: Date.now() + inDays * 86_400_000 })).removals.length
  }
  expect(await removals(59)).toBe(0)
  expect(await removals(61)).toBe(1)
})

test('a directory that its owner adopts is written to by the gateway that runs', async () => {
  const home = await recorded()
  await rename(home.directory, `${home.directory}-away`)
  await expect(home.recorder.footage(camera, await later())).rejects.toMatchObject({ code: 'recordings_missing' })
  {
    using adopted = new RecordingsDirectory(home.directory)
    await keepIdentity(home.db, adopted.adopt('new-identity'))
  }
  await home.recorder.footage(camera, await later())
  expect(await readdir(home.directory)).toContain(camera)
})

test('a directory that was emptied before anything was recorded loses no picture by it', async () => {
  const home = await recorderHouse()
  await beginEvent(home, 'event-01', startMs)
  await rm(home.directory, { recursive: true })
  await mkdir(home.directory)
  await home.recorder.footage(camera, footageBody(run, units))
  expect(await recordedPictures(home, 'event-01')).toEqual(all)
})
