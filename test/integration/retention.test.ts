import { access, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import type { Kysely } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { gatewayConfigSchema } from '../../gateway/config/schema.ts'
import { Playback } from '../../gateway/playback/playback.ts'
import { Recorder } from '../../gateway/recorder/recorder.ts'
import { lookMs } from '../../gateway/recorder/retention/retention.ts'
import { openStore } from '../../gateway/store/open-store.ts'
import type { Schema } from '../../gateway/store/schema.ts'
import { videoUnits } from '../support/coded-samples.ts'
import { footageBody } from '../support/footage-body.ts'
import { HandTimers } from '../support/hand-timers.ts'
import { quietLog } from '../support/quiet-log.ts'
import { ScriptedSfu } from '../support/scripted-sfu.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const camera = 'door.front'
const dayMs = 86_400_000
const startMs = 1_700_000_000_000

interface House {
  db: Kysely<Schema>
  directory: string
  recorder: Recorder
  playback: Playback
  timers: HandTimers
  states: (string | undefined)[]
  /** Of the gateway, ms since the Unix epoch. */
  clock: { nowMs: number }
}

/** A recorder with an index in a file, as in the gateway; its clock stands at `nowMs`. */
async function house(home: string, nowMs: number, retention: object = {}): Promise<House> {
  const indexPath = join(home, 'index.sqlite')
  const directory = join(home, 'recordings')
  const store = await openStore(indexPath, quietLog)
  const timers = new HandTimers()
  const { db } = store
  const clock = { nowMs }
  const now = () => clock.nowMs
  const recorder = new Recorder({
    ...{ db, directory, sfu: new ScriptedSfu(), ffmpeg: undefined, log: quietLog, now, indexPath },
    askFootage: () => undefined,
    retention: gatewayConfigSchema.shape.recordings.parse({ retention }).retention,
    schedule: (callback, ms) => timers.set(callback, ms),
  })
  onTestFinished(async () => {
    await recorder.close()
    await store.close()
  })
  const states: House['states'] = []
  recorder.onState((_, { error }) => states.push(error))
  await recorder.start()
  return {
    ...{ db, directory, recorder, timers, states, clock },
    playback: new Playback({ db, directory, isActive: () => false, now }),
  }
}

/** An event of five seconds with all its pictures, each in a file of its own. */
async function happened({ db, recorder }: House, id: string, atMs: number, of: { kind?: 'ring'; kept?: boolean } = {}) {
  const { kind = 'motion', kept = false } = of
  await db
    .insertInto('events')
    .values({
      ...{ id, camera, kind, begin_at: atMs, end_at: atMs + 5_000, still_path: null, protected: kept ? 1 : 0 },
      ...{ record_from: atMs, record_to: atMs + 5_000 },
    })
    .execute()
  const units = (await videoUnits({ seconds: 5 })).map(
    (unit): AccessUnit => ({ ...unit, captureMs: unit.captureMs - startMs + atMs }),
  )
  await recorder.footage(camera, footageBody(`run-${id}`, units))
}

/** The timer goes off; resolves when the round is over and the timer set anew. */
async function round({ timers }: House): Promise<void> {
  const before = timers.all.length
  const due = timers.all.at(-1)!
  expect(due.ms).toBe(lookMs)
  due.stopped = true
  due.callback()
  await until('the end of the round', () => timers.all.length > before)
}

async function videoFiles({ directory }: House): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => name.endsWith('.mp4')).toSorted()
}

const stateOf = async ({ playback }: House, id: string) => (await playback.recording(id)).state

/** Three events: of 20 days ago, of the same time but kept, and of yesterday. */
async function threeEvents(home: string): Promise<House> {
  const made = await house(home, startMs)
  await happened(made, 'event-old', startMs - 20 * dayMs)
  await happened(made, 'event-kept', startMs - 20 * dayMs + 3_600_000, { kept: true })
  await happened(made, 'event-new', startMs - dayMs)
  return made
}

test('what is too old goes, with its event and its folder; what is kept plays; a restart brings nothing back', async () => {
  const home = await tempDir()
  const made = await threeEvents(home)
  const before = await videoFiles(made)
  expect(before).toHaveLength(3)
  const movie = (await made.playback.movie('event-kept')).bytes
  // footage that the gateway has had for 20 days
  await made.db
    .updateTable('files')
    .set(({ ref }) => ({ created_at: ref('base_ms') }))
    .execute()
  await round(made)
  expect(await videoFiles(made)).toEqual(before.slice(1))
  await expect(made.playback.recording('event-old')).rejects.toMatchObject({ code: 'event_not_found' })
  expect((await made.playback.movie('event-kept')).bytes).toBe(movie)
  await made.recorder.close()

  const after = await house(home, startMs)
  expect(await after.db.selectFrom('files').select('path').execute()).toHaveLength(2)
  expect([await stateOf(after, 'event-kept'), await stateOf(after, 'event-new')]).toEqual(['complete', 'complete'])
})

test('a round that was cut off between index and disk is gone on with', async () => {
  const home = await tempDir()
  const made = await threeEvents(home)
  const [first = ''] = await videoFiles(made)
  const { id } = await made.db.selectFrom('files').select('id').where('path', '=', first).executeTakeFirstOrThrow()
  await made.db.updateTable('files').set({ removing: 1 }).where('id', '=', id).execute()
  await made.db.deleteFrom('parts').where('file_id', '=', id).execute()
  await made.recorder.close()

  const after = await house(home, startMs)
  // the restart has promised nothing of it again
  expect(await stateOf(after, 'event-old')).toBe('none')
  await round(after)
  expect(await videoFiles(after)).not.toContain(first)
  expect(await after.db.selectFrom('files').select('id').where('id', '=', id).execute()).toEqual([])
})

test('a file that cannot be deleted holds up no other, and goes when it can be', async () => {
  const home = await tempDir()
  const made = await threeEvents(home)
  await happened(made, 'event-older', startMs - 30 * dayMs)
  await made.db
    .updateTable('files')
    .set(({ ref }) => ({ created_at: ref('base_ms') }))
    .execute()
  const [oldest = '', old = ''] = await videoFiles(made)
  const path = join(made.directory, oldest)
  // where a folder stands, no file can be deleted
  await rename(path, `${path}.aside`)
  await mkdir(path)
  await round(made)
  await expect(access(join(made.directory, old))).rejects.toThrow('ENOENT')
  expect(await stateOf(made, 'event-older')).toBe('none')
  await rm(path, { recursive: true })
  await rename(`${path}.aside`, path)
  made.clock.nowMs += 2 * 3_600_000
  await round(made)
  await expect(access(path)).rejects.toThrow('ENOENT')
})

test('with another disk in its place nothing is deleted, and the index keeps what it knows', async () => {
  const home = await tempDir()
  const made = await threeEvents(home)
  await rename(made.directory, `${made.directory}-away`)
  await mkdir(made.directory)
  await round(made)
  expect(await made.db.selectFrom('files').select('id').execute()).toHaveLength(3)
  expect(await made.db.selectFrom('events').select('id').execute()).toHaveLength(3)
  await rm(made.directory, { recursive: true })
  await rename(`${made.directory}-away`, made.directory)
  expect(await stateOf(made, 'event-old')).toBe('complete')
})

test('when kept recordings take all the room, that is said, recording stops, and goes on when one is released', async () => {
  const home = await tempDir()
  const made = await house(home, startMs)
  await happened(made, 'event-kept', startMs - dayMs, { kept: true })
  const { bytes } = await made.playback.recording('event-kept')
  await made.recorder.close()

  const tight = await house(home, startMs, { cameraGigabytes: (bytes * 1.08) / 1e9 })
  await round(tight)
  expect(tight.states.at(-1)).toBe('protected_nearly_full')
  await happened(tight, 'event-more', startMs - 2 * dayMs, { kept: true })
  await until('the end of recording', () => tight.states.at(-1) === 'protected_full')
  expect([await stateOf(tight, 'event-kept'), await stateOf(tight, 'event-more')]).toEqual(['complete', 'complete'])
  await expect(happened(tight, 'event-refused', startMs - dayMs / 2)).rejects.toMatchObject({ code: 'protected_full' })
  await tight.db.updateTable('events').set({ protected: 0 }).where('id', '=', 'event-more').execute()
  tight.recorder.protectionChanged()
  await until('room', () => tight.states.at(-1) === 'protected_nearly_full')
  expect(await stateOf(tight, 'event-more')).toBe('none')
  await happened(tight, 'event-next', startMs - dayMs / 4)
  expect(await stateOf(tight, 'event-kept')).toBe('complete')
})
