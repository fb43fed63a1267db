import { join } from 'node:path'
import { expect } from 'vitest'
import { type Finding, fsck } from '../../gateway/recorder/fsck.ts'
import { videoUnits } from './coded-samples.ts'
import { decode } from './decode.ts'
import { type Fault, faultyDisk, faultyFiles } from './faulty-file-layer.ts'
import { type FaultyIndex, faultyIndex } from './faulty-index.ts'
import { footageBody } from './footage-body.ts'
import { memoryIndex } from './memory-index.ts'
import { beginEvent, camera, type RecorderHouse, recordedPictures, recorderHouse, unitHash } from './recorder-house.ts'

const run = 'boot-0001'
const startMs = 1_700_000_000_000
const units = await videoUnits({ seconds: 6 })
const early = units.slice(0, 75)
const late = units.slice(75)
/** One in so many recordings is also decoded. */
const decodeEach = 8
const codeOf: Record<Fault, string> = { ENOSPC: 'disk_full', EIO: 'disk_failed', EROFS: 'disk_readonly' }
const codes = [...Object.values(codeOf), 'index_failed']

/** Footage, then live pictures, each in a file of its own; what was said to fail. */
async function record(home: RecorderHouse, between: () => void = () => undefined): Promise<string[]> {
  const said: string[] = []
  home.recorder.onState((_, { error }) => {
    if (error !== undefined) said.push(error)
  })
  await beginEvent(home, 'event-01', startMs)
  await home.recorder.footage(camera, footageBody(run, early)).catch((error: { code: string }) => said.push(error.code))
  between()
  home.sfu.play(camera, run, late)
  await home.recorder.close()
  return said
}

const indexed = ({ db }: RecorderHouse) =>
  db
    .selectFrom('parts')
    .innerJoin('files', 'files.id', 'parts.file_id')
    .select(['path', 'offset', 'parts.bytes', 'first_frame', 'last_frame'])
    .orderBy('first_frame')
    .execute()

async function check({ db, directory }: RecorderHouse): Promise<Finding[]> {
  const findings: Finding[] = []
  await fsck({ db, directory, onFinding: (finding) => findings.push(finding), onProgress: () => undefined })
  return findings
}

async function callsOfOneRecording(): Promise<number> {
  const disk = faultyDisk()
  const home = await recorderHouse({ fileLayer: faultyFiles })
  expect(await record(home)).toEqual([])
  expect(await recordedPictures(home, 'event-01')).toEqual(units.map(unitHash))
  return disk.calls()
}

/** What was durable stays, what was not is said; and with the disk well again, all of it can be recorded. */
async function survives(home: RecorderHouse, said: readonly string[], wanted: string, call: number) {
  expect(said.filter((code) => !codes.includes(code))).toEqual([])
  const durable = await indexed(home)
  const frames = durable.reduce((sum, part) => sum + part.last_frame - part.first_frame + 1, 0)
  if (frames < units.length) expect(said).toContain(wanted)
  const after = await recorderHouse({ directory: home.directory, db: home.db })
  expect(await indexed(after)).toEqual(expect.arrayContaining(durable))
  expect(await check(after)).toEqual([])
  await after.recorder.footage(camera, footageBody(run, units))
  expect(await recordedPictures(after, 'event-01')).toEqual(units.map(unitHash))
  await after.recorder.close()
  expect(await check(after)).toEqual([])
  if (call % decodeEach !== 0) return
  for (const { path } of await after.db.selectFrom('files').select('path').execute())
    expect((await decode(join(after.directory, path))).errors).toEqual([])
}

/** Makes each call of a recording fail in turn, alone. */
export async function failOnce(fault: Fault): Promise<void> {
  const calls = await callsOfOneRecording()
  expect(calls).toBeGreaterThan(25)
  for (let call = 1; call <= calls; call += 1) {
    faultyDisk().fail(fault, call, call)
    const home = await recorderHouse({ fileLayer: faultyFiles })
    await survives(home, await record(home), codeOf[fault], call)
  }
}

/** Makes the disk fail from each call of a recording on; it is well again in the middle, or only afterwards. */
export async function failFromThenOn(fault: Fault): Promise<void> {
  const calls = await callsOfOneRecording()
  for (let call = 1; call <= calls; call += 1) {
    const disk = faultyDisk()
    disk.fail(fault, call, 2 ** 30)
    const home = await recorderHouse({ fileLayer: faultyFiles })
    const heals = call % 2 === 0
    const said = await record(home, heals ? () => disk.heal() : undefined)
    if (heals) {
      const last = (await indexed(home)).at(-1)
      expect(last?.last_frame).toBe(units.at(-1)!.frame)
    }
    await survives(home, said, codeOf[fault], call)
  }
}

/** A recorder with an index that can fail, as far as the second value says. */
async function indexHouse(): Promise<[RecorderHouse, FaultyIndex]> {
  const well = await memoryIndex()
  const index = faultyIndex(well)
  const { db: _faulty, ...home } = await recorderHouse({ db: index.db })
  return [{ ...home, db: well }, index]
}

async function writesOfOneRecording(): Promise<number> {
  const [home, index] = await indexHouse()
  expect(await record(home)).toEqual([])
  return index.writes()
}

/** Makes each write to the index fail in turn, alone. */
export async function failIndexOnce(): Promise<void> {
  const writes = await writesOfOneRecording()
  expect(writes).toBeGreaterThan(5)
  for (let write = 1; write <= writes; write += 1) {
    const [home, index] = await indexHouse()
    index.fail(write, write)
    await survives(home, await record(home), 'index_failed', write)
  }
}

/** Makes the index fail from each write on; it is well again in the middle. */
export async function failIndexFromThenOn(): Promise<void> {
  const writes = await writesOfOneRecording()
  for (let write = 1; write <= writes; write += 1) {
    const [home, index] = await indexHouse()
    index.fail(write, 2 ** 30)
    const said = await record(home, () => index.heal())
    expect((await indexed(home)).at(-1)?.last_frame).toBe(units.at(-1)!.frame)
    await survives(home, said, 'index_failed', write)
  }
}
