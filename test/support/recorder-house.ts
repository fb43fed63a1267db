import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { readFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { sampleData } from '@porchlight/proto/media/fmp4/video-entry.ts'
import { readClusters } from '@porchlight/proto/media/webm/cluster.ts'
import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { Kysely } from 'kysely'
import { onTestFinished } from 'vitest'
import { Playback } from '../../gateway/playback/playback.ts'
import { eventRange, recordedParts } from '../../gateway/playback/recorded-parts.ts'
import { Recorder } from '../../gateway/recorder/recorder.ts'
import type { Schema } from '../../gateway/store/schema.ts'
import type { HandTimers } from './hand-timers.ts'
import { memoryIndex } from './memory-index.ts'
import { quietLog } from './quiet-log.ts'
import { ScriptedSfu } from './scripted-sfu.ts'
import { tempDir } from './temp-dir.ts'
import { until } from './until.ts'

/** The one camera of this house. */
export const camera = 'door.front'

/** A recorder with what stands around it; closed when the test is over. */
export interface RecorderHouse {
  db: Kysely<Schema>
  directory: string
  sfu: ScriptedSfu
  recorder: Recorder
  playback: Playback
  /** Questions for footage. */
  asked: [run: string, from: number, to: number][]
  /** What was counted as missing for good, by reason, and what of it came after all. */
  counted: Record<string, number>
}

export interface RecorderHouseOptions {
  directory?: string
  db?: Kysely<Schema>
  ffmpeg?: string | undefined
  /** URL of a module that stands for the disk. */
  fileLayer?: string
  /** Stands for timers. */
  timers?: HandTimers
  /** Nobody can be asked for footage. */
  keepsNothing?: boolean
  /** All of it is to be recorded. */
  continuous?: boolean
  /** What is recorded at a moment, ms; default: as `continuous` says. */
  modeAt?(ms: number): RecordingMode
}

export async function recorderHouse(options: RecorderHouseOptions = {}): Promise<RecorderHouse> {
  const directory = options.directory ?? join(await tempDir(), 'recordings')
  const db = options.db ?? (await memoryIndex())
  const sfu = new ScriptedSfu()
  const asked: RecorderHouse['asked'] = []
  const counted: RecorderHouse['counted'] = {}
  const count = (what: string, by: number) => {
    counted[what] = (counted[what] ?? 0) + by
  }
  const { timers } = options
  const recorder = new Recorder({
    ...{ db, directory, sfu, ffmpeg: options.ffmpeg, log: quietLog, now: Date.now },
    ...(options.fileLayer !== undefined && { fileLayer: options.fileLayer }),
    askFootage: (_, ofRun, from, to) => asked.push([ofRun, from, to]),
    keepsFootage: () => !options.keepsNothing,
    modeAt: (_, ms) => options.modeAt?.(ms) ?? (options.continuous ? 'continuous' : 'events'),
    counts: {
      gap: (reason, frames) => count(reason, frames),
      filled: (frames) => count('filled', frames),
      prerollMissing: () => count('preroll', 1),
    },
    ...(timers && { schedule: (callback, ms) => timers.set(callback, ms) }),
  })
  onTestFinished(() => recorder.close())
  await recorder.start()
  const isActive = (of: string, eventId: string) => recorder.isActive(of, eventId)
  const playback = new Playback({ db, directory, isActive, now: Date.now })
  return { db, directory, sfu, recorder, playback, asked, counted }
}

export async function beginEvent({ db, recorder }: RecorderHouse, id: string, fromMs: number, beginAt = fromMs) {
  await db
    .insertInto('events')
    .values({
      ...{ id, camera, kind: 'motion', begin_at: beginAt, end_at: null },
      ...{ record_from: fromMs, record_to: null, still_path: null },
    })
    .execute()
  recorder.eventBegan({ id, camera, kind: 'motion', beginAt })
}

export async function endEvent({ db, recorder }: RecorderHouse, id: string, toMs: number) {
  await db.updateTable('events').set({ end_at: toMs, record_to: toMs }).where('id', '=', id).execute()
  recorder.eventEnded({ id, camera, endAt: toMs, recordTo: toMs })
  await until(`the end of ${id}`, () => !recorder.isActive(camera, id))
}

/** Ends an event when all that has come is written: asking what is missing of its run has the recorder write it. */
export async function finishEvent(home: RecorderHouse, run: string, id: string, toMs: number) {
  await home.recorder.missingFrames(camera, run, 0, 0xffff_ffff)
  await endEvent(home, id, toMs)
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Hash of a picture as a recording holds it. */
export const unitHash = (unit: AccessUnit) => hash(Buffer.concat(sampleData(unit)))

/** Hash of every picture of an event's recording, in decoding order. */
export async function recordedPictures({ db, directory }: RecorderHouse, eventId: string): Promise<string[]> {
  const hashes: string[] = []
  for (const part of (await recordedParts(db, await eventRange(db, eventId))).parts) {
    const file = await readFile(join(directory, part.path))
    const bytes = new Uint8Array(file.subarray(part.offset, part.offset + part.bytes))
    hashes.push(...pictures(bytes).map(([from, to]) => hash(bytes.subarray(from, to))))
  }
  return hashes
}

/** Where the pictures of a part stand in it. */
function pictures(part: Uint8Array): [from: number, to: number][] {
  const ofVideo = ({ track }: { track: number }) => track === 1
  const clusters = readClusters(part)
  if (clusters) return clusters.flatMap(({ blocks }) => blocks.filter(ofVideo).map(({ at, end }) => [at, end]))
  return readFragment(part)!
    .tracks.find(ofVideo)!
    .samples.map(({ at, size }) => [at, at + size])
}
