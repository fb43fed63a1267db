import { createHash } from 'node:crypto'
import { chmod, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Kysely } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { commands, runCommand } from '../../gateway/cli/commands.ts'
import { gatewayConfigSchema } from '../../gateway/config/schema.ts'
import { openStore, type Store } from '../../gateway/store/open-store.ts'
import type { Schema } from '../../gateway/store/schema.ts'
import { videoUnits } from '../support/coded-samples.ts'
import { decode } from '../support/decode.ts'
import { footageBody } from '../support/footage-body.ts'
import { quietLog } from '../support/quiet-log.ts'
import { beginEvent, camera, recorderHouse } from '../support/recorder-house.ts'
import { tempDir } from '../support/temp-dir.ts'

const startMs = Date.parse('2026-11-21T18:00:00Z')
const columns = [
  ...(['run', 'first_frame', 'last_frame', 'keyframe', 'start_ms', 'end_ms'] as const),
  ...(['audio_json', 'offset', 'bytes', 'generation'] as const),
]

interface Home {
  dataDir: string
  directory: string
  /** `gateway recordings WORDS` on this home; what it prints. */
  recordings(words: string[], flags?: Record<string, string[]>, switches?: string[]): Promise<string[]>
  /** Bytes that it has written to standard output. */
  stdout(): Buffer
  /** What it drew on the terminal since the last time. */
  drawn(): string
  index<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>
}

/** A gateway's data with two recordings of three seconds, an hour apart; the gateway is stopped. */
async function recorded({ running = false, terminal = false } = {}): Promise<Home> {
  const dataDir = await tempDir()
  const directory = join(dataDir, 'recordings')
  const config = gatewayConfigSchema.parse({ dataDir })
  const store: Store = await openStore(join(dataDir, 'index.sqlite'), quietLog)
  const home = await recorderHouse({ directory, db: store.db })
  await beginEvent(home, 'event-01', startMs)
  const first = await videoUnits({ startMs })
  const second = await videoUnits({ startMs: startMs + 3_600_000, firstFrame: 1_000 })
  for (const units of [first, second]) await home.recorder.footage(camera, footageBody('boot-0001', units))
  await store.db
    .updateTable('events')
    .set({ end_at: startMs + 3_000, record_to: startMs + 3_000 })
    .execute()
  if (running) onTestFinished(() => store.close())
  else {
    await home.recorder.close()
    await store.close()
  }
  let drawn = ''
  const written: Buffer[] = []
  const stdout = new PassThrough().on('data', (bytes: Buffer) => written.push(bytes))
  const recordings: Home['recordings'] = async (words, flags = {}, switches = []) => {
    const lines: string[] = []
    try {
      await runCommand(commands.recordings!, {
        ...{ config, words, flags: new Map(Object.entries(flags)), switches: new Set(switches) },
        ...{ log: quietLog, now: Date.now, out: (line) => lines.push(line) },
        stdout,
        terminal: { isTTY: terminal, write: (text) => (drawn += text) },
      })
    } catch (error) {
      lines.push((error as { code: string }).code)
    }
    return lines
  }
  return {
    ...{ dataDir, directory, recordings },
    stdout: () => Buffer.concat(written),
    drawn: () => {
      const text = drawn
      drawn = ''
      return text
    },
    async index(work) {
      await using opened = await openStore(join(dataDir, 'index.sqlite'), quietLog)
      return await work(opened.db)
    },
  }
}

const parts = (db: Kysely<Schema>) => db.selectFrom('parts').select(columns).orderBy('first_frame').execute()
const files = (db: Kysely<Schema>) =>
  db
    .selectFrom('files')
    .select(['path', 'camera', 'base_ms', 'init_bytes', 'config', 'closed'])
    .orderBy('path')
    .execute()
const summary = (bytes: Buffer) =>
  `${bytes.length} bytes, video/mp4, sha-256 ${createHash('sha256').update(bytes).digest('hex')}`
const clean = /^2 files, 6 parts, \d+ bytes, 0 differences$/

async function damage(path: string, offset: number): Promise<void> {
  await chmod(path, 0o640)
  const bytes = await readFile(path)
  bytes[offset] = bytes[offset]! ^ 0xff
  await writeFile(path, bytes)
}

test('fsck finds nothing where nothing is wrong, and shows how far it is on a terminal only', async () => {
  const home = await recorded({ terminal: true })
  expect(await home.recordings(['fsck'])).toEqual([expect.stringMatching(clean)])
  expect(home.drawn()).toMatch(/checking \[-+\] +0 %.*checking \[#+\] 100 %/s)
  const quiet = await recorded()
  expect(await quiet.recordings(['fsck'])).toEqual([expect.stringMatching(clean)])
  expect(quiet.drawn()).toBe('')
})

test('fsck says each difference with its code and fails; --rebuild makes the index what the files are', async () => {
  const home = await recorded()
  const [first, second] = (await home.index(files)).map(({ path }) => path) as [string, string]
  const rows = await home.index(parts)
  await damage(join(home.directory, first), rows[1]!.offset + 200)
  await chmod(join(home.directory, second), 0o640)
  await truncate(join(home.directory, second), rows[5]!.offset + 50)
  await writeFile(join(home.directory, second.replace(/[^/]+$/, 'holiday.mp4')), 'not ours')
  await home.index(async (db) => {
    await db.deleteFrom('parts').where('first_frame', '=', rows[0]!.first_frame).execute()
    await db.updateTable('parts').set({ end_ms: 5 }).where('first_frame', '=', rows[3]!.first_frame).execute()
    await db
      .insertInto('files')
      .values({
        ...(await db.selectFrom('files').selectAll().executeTakeFirstOrThrow()),
        id: 99,
        path: 'door.front/2026-11-20/gone.mp4',
      })
      .execute()
  })
  const said = await home.recordings(['fsck'])
  expect(
    said
      .filter((line) => line.startsWith('recording_'))
      .map((line) => line.split(/[ :]/)[0])
      .toSorted(),
  ).toEqual([
    'recording_file_invalid',
    'recording_file_missing',
    'recording_file_torn',
    'recording_part_damaged',
    'recording_part_differs',
    'recording_part_missing',
    'recording_part_unknown',
  ])
  expect(said.find((line) => line.startsWith('recording_part_damaged'))).toContain(`${first}: `)
  expect(said.at(-1)).toBe('recordings_differ')
  const rebuilt = await home.recordings(['fsck'], {}, ['rebuild'])
  expect(rebuilt[0]).toBe('The index has 4 parts in 2 files.')
  const healthy = rows.filter((_, index) => index !== 1 && index !== 5)
  expect(await home.index(parts)).toEqual(healthy)
  // the torn end is left to the gateway, which knows that nobody writes
  expect((await home.index(files)).map(({ closed }) => closed)).toEqual([1, 0])
})

test('an index that is lost altogether is made again, row by row, from the files alone', async () => {
  const home = await recorded()
  const before = await home.index(async (db) => [await files(db), await parts(db)])
  for (const name of await readdir(home.dataDir))
    if (name.startsWith('index.sqlite')) await rm(join(home.dataDir, name))
  const said = await home.recordings(['fsck'], {}, ['rebuild'])
  expect(said).toEqual(['The index has 6 parts in 2 files.', expect.stringMatching(clean)])
  expect(await home.index(async (db) => [await files(db), await parts(db)])).toEqual(before)
})

test('while a gateway runs, fsck refuses; so it does on a directory that is not the one of the index', async () => {
  const running = await recorded({ running: true })
  expect(await running.recordings(['fsck'])).toEqual(['recordings_in_use'])
  expect(await running.recordings(['fsck'], {}, ['rebuild'])).toEqual(['recordings_in_use'])
  expect(await running.recordings(['ls'])).toHaveLength(2)
  const home = await recorded()
  await rm(home.directory, { recursive: true })
  expect(await home.recordings(['fsck'], {}, ['rebuild'])).toEqual(['recordings_missing'])
  expect(await home.index(parts)).toHaveLength(6)
  expect(await home.recordings(['adopt'])).toEqual([`${home.directory} is written to from now on.`])
  expect((await home.recordings(['fsck'])).at(-1)).toBe('recordings_differ')
})

test('ls lists the files of the wanted time and camera', async () => {
  const home = await recorded()
  const lines = await home.recordings(['ls'])
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(
    /^2026-11-21T18:00:00.000Z 2026-11-21T18:00:03.000Z \d{4,} door\.front door\.front\/2026-11-21\/\S+\.mp4$/,
  )
  expect(await home.recordings(['ls'], { from: ['2026-11-21T18:30:00Z'] })).toEqual(lines.slice(1))
  expect(await home.recordings(['ls'], { to: ['2026-11-21T18:30:00Z'] })).toEqual(lines.slice(0, 1))
  expect(await home.recordings(['ls'], { from: ['2026-11-22'] })).toEqual([])
  expect(await home.recordings(['ls'], { camera: ['door.back'] })).toEqual([])
  for (const flags of [{ camera: ['../..'] }, { from: ['yesterday'] }, { to: ['2026-11-31'] }] as Record<
    string,
    string[]
  >[])
    expect(await home.recordings(['ls'], flags)).toEqual(['request_invalid'])
  expect(await home.recordings(['burn'])).toEqual(['request_invalid'])
})

test("export writes an event's recording, whole or not at all", async () => {
  const home = await recorded({ terminal: true })
  const folder = await tempDir()
  const path = join(folder, 'visit.mp4')
  const [said] = await home.recordings(['export', path], { event: ['event-01'] })
  expect(said).toBe(`${path}: ${summary(await readFile(path))}`)
  expect(home.drawn()).toContain('100 %')
  const { video, errors } = await decode(path)
  expect([video.length, errors]).toEqual([75, []])
  expect(await home.recordings(['export', path], { event: ['event-02'] })).toEqual(['event_not_found'])
  const nowhere = join(folder, 'nowhere', 'visit.mp4')
  expect(await home.recordings(['export', nowhere], { event: ['event-01'] })).toEqual(['export_failed'])
  await rm(join(home.directory, camera), { recursive: true })
  const before = await readFile(path)
  expect(await home.recordings(['export', path], { event: ['event-01'] })).toEqual(['recording_not_found'])
  expect(await readdir(folder)).toEqual(['visit.mp4'])
  expect((await readFile(path)).equals(before)).toBe(true)
})

test('export writes any time of a camera, to a file or standard output: the same bytes each time', async () => {
  const home = await recorded({ terminal: true })
  const path = join(await tempDir(), 'evening.mp4')
  const evening = { camera: [camera], from: ['2026-11-21T18:00:01Z'], to: ['2026-11-21T20:00:00Z'] }
  const [said] = await home.recordings(['export', path], evening)
  const bytes = await readFile(path)
  expect(said).toBe(`${path}: ${summary(bytes)}`)
  const { video, errors } = await decode(path)
  // two of three seconds, and three more an hour later
  expect([video.length, errors]).toEqual([125, []])
  home.drawn()
  expect(await home.recordings(['export', '-'], evening)).toEqual([])
  expect(home.stdout().equals(bytes)).toBe(true)
  expect(home.drawn()).toContain(summary(bytes))
  const wrong: [flags: Record<string, string[]>, code: string][] = [
    [{ ...evening, event: ['event-01'] }, 'request_invalid'],
    [{ camera: [camera], from: evening.from }, 'request_invalid'],
    [{ ...evening, camera: ['../..'] }, 'request_invalid'],
    [{ ...evening, to: evening.from }, 'range_invalid'],
    [{ ...evening, to: ['2026-11-23'] }, 'range_too_long'],
    [{ ...evening, camera: ['door.back'] }, 'range_empty'],
  ]
  for (const [flags, code] of wrong) expect(await home.recordings(['export', path], flags)).toEqual([code])
  await writeFile(`${path}.part`, 'of another export')
  expect(await home.recordings(['export', path], evening)).toEqual(['export_failed'])
  expect(await readFile(`${path}.part`, 'utf8')).toBe('of another export')
})
