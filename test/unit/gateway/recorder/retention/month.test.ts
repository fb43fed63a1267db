import type { Kysely } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { gatewayConfigSchema } from '../../../../../gateway/config/schema.ts'
import { decideHere } from '../../../../../gateway/recorder/retention/decide.ts'
import { retentionLimits } from '../../../../../gateway/recorder/retention/limits.ts'
import { Retention } from '../../../../../gateway/recorder/retention/retention.ts'
import type { Schema } from '../../../../../gateway/store/schema.ts'
import { memoryIndex } from '../../../../support/memory-index.ts'
import { quietLog } from '../../../../support/quiet-log.ts'
import { seeded } from '../../../../support/random.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const startMs = 1_800_000_000_000
const stepMs = 20 * minuteMs
/** By how many times the bytes of the others: one reaches its own quota, and all together reach theirs. */
const cameras = new Map([
  ['door.front', 2],
  ['yard.back', 1],
  ['gate.main', 1],
])
const quota = 1e9
const cameraQuota = 0.45e9
const diskBytes = 2e9

/** A disk in memory. */
class PaperDisk {
  readonly files = new Map<string, number>()
  readonly removed: string[] = []
  readonly stuck = new Set<string>()

  used = 0

  usedOf(camera: string): number {
    let used = 0
    for (const [path, bytes] of this.files) if (path.startsWith(camera)) used += bytes
    return used
  }

  write(path: string, bytes: number): void {
    this.files.set(path, bytes)
    this.used += bytes
  }

  async remove(path: string): Promise<void> {
    if (this.stuck.has(path)) throw new Error('Input/output error')
    this.removed.push(path)
    this.used -= this.files.get(path) ?? 0
    this.files.delete(path)
  }

  async space(probe: readonly string[]) {
    const found = probe.filter((path) => this.files.has(path)).length
    return { freeBytes: diskBytes - this.used, totalBytes: diskBytes, probed: probe.length, found }
  }
}

async function house() {
  const db = await memoryIndex()
  const disk = new PaperDisk()
  let nowMs = startMs
  let tick: (() => void) | undefined
  const { retention: settings } = gatewayConfigSchema.shape.recordings.parse({
    retention: { gigabytes: quota / 1e9, cameraGigabytes: cameraQuota / 1e9, ringDays: 25, continuousDays: 5 },
  })
  const limits = retentionLimits(settings)
  const retention = new Retention({
    ...{ db, disk, limits, decide: decideHere(db, limits), now: () => nowMs, log: quietLog },
    schedule: (callback) => {
      tick = callback
      return () => {
        tick = undefined
      }
    },
    onRoom: () => undefined,
  })
  onTestFinished(() => retention.close())
  retention.start()
  return {
    ...{ db, disk, retention },
    at: (ms: number) => {
      nowMs = ms
    },
    /** The timer goes off; resolves when what it began is over. */
    look: async () => {
      const due = tick
      tick = undefined
      due?.()
      while (tick === undefined) await new Promise(setImmediate)
      await retention.settled()
    },
  }
}

/** A closed file of one part. */
async function record(db: Kysely<Schema>, path: string, camera: string, endMs: number, bytes: number) {
  const from = endMs - minuteMs
  const file = { camera, path, created_at: from, base_ms: from, init_bytes: 1_000, config: 'c', closed: 1 }
  const { id } = await db.insertInto('files').values(file).returning('id').executeTakeFirstOrThrow()
  const part = { file_id: id, camera, run: 'boot', first_frame: from, last_frame: endMs - 1, keyframe: 1 }
  const place = { offset: 1_000, bytes: bytes - 1_000, generation: 0 }
  await db
    .insertInto('parts')
    .values({ ...part, start_ms: from, end_ms: endMs, audio_json: '[]', ...place })
    .execute()
}

test('a month never takes more than the quota, keeps what is protected, and survives what cannot be deleted', async () => {
  const { db, disk, retention, at, look } = await house()
  const random = seeded(1)
  const kept = new Set<string>()
  let most = 0
  let mostOfCamera = 0
  for (let endMs = startMs + stepMs; endMs <= startMs + 30 * dayMs; endMs += stepMs) {
    at(endMs)
    for (const [camera, weight] of cameras) {
      const path = `${camera}/2027-01-15/${endMs}.mp4`
      const bytes = weight * (200_000 + Math.floor(random() * 1_800_000))
      if (random() < 0.2) {
        const isProtected = random() < 0.05
        if (isProtected) kept.add(path)
        await db
          .insertInto('events')
          .values({
            ...{ id: `${camera}-${endMs}`, camera, kind: random() < 0.2 ? 'ring' : 'motion', still_path: null },
            ...{ begin_at: endMs - 40_000, end_at: endMs - 20_000, protected: isProtected ? 1 : 0 },
            ...{ record_from: endMs - 50_000, record_to: endMs - 10_000 },
          })
          .execute()
      }
      if (random() < 0.002) disk.stuck.add(path)
      await record(db, path, camera, endMs, bytes)
      disk.write(path, bytes)
      most = Math.max(most, disk.used)
      mostOfCamera = Math.max(mostOfCamera, disk.usedOf(camera))
      expect(disk.used).toBeLessThanOrEqual(quota + bytes)
      expect(disk.usedOf(camera)).toBeLessThanOrEqual(cameraQuota + bytes)
      retention.wrote(camera, bytes)
      await retention.settled()
    }
    if (endMs % (6 * 60 * minuteMs) === 0) await look()
  }
  await look()
  // as much as fits was really kept
  expect(most).toBeGreaterThan(quota * 0.95)
  expect(mostOfCamera).toBeGreaterThan(cameraQuota * 0.95)
  expect(disk.removed.length).toBeGreaterThan(3_000)
  expect(kept.size).toBeGreaterThan(20)
  expect([...kept].filter((path) => !disk.files.has(path))).toEqual([])
  const indexed = await db.selectFrom('files').select(['path', 'removing']).execute()
  expect(indexed.map(({ path }) => path).toSorted()).toEqual([...disk.files.keys()].toSorted())
  // what cannot be deleted is promised to nobody any more
  const leftOver = indexed.filter(({ removing }) => removing === 1).map(({ path }) => path)
  expect(leftOver.length).toBeGreaterThan(0)
  expect(leftOver.filter((path) => !disk.stuck.has(path))).toEqual([])
  const playable = await db.selectFrom('files').innerJoin('parts', 'parts.file_id', 'files.id').select('path').execute()
  expect(playable.map(({ path }) => path).toSorted()).toEqual(
    indexed
      .filter(({ removing }) => removing === 0)
      .map(({ path }) => path)
      .toSorted(),
  )
  // and goes when it can be
  disk.stuck.clear()
  at(startMs + 30 * dayMs + 2 * 60 * minuteMs)
  await look()
  expect(leftOver.filter((path) => disk.files.has(path))).toEqual([])
})

test('what cannot be deleted counts: others go before there is too much', async () => {
  const { db, disk, retention, at, look } = await house()
  const bytes = 24e6
  await look()
  disk.stuck.add('door.front/0.mp4')
  for (let count = 0; count < 60; count += 1) {
    const camera = [...cameras.keys()][count % cameras.size]!
    const endMs = startMs + count * minuteMs
    at(endMs)
    await record(db, `${camera}/${count}.mp4`, camera, endMs, bytes)
    disk.write(`${camera}/${count}.mp4`, bytes)
    expect(disk.used).toBeLessThanOrEqual(quota + bytes)
    retention.wrote(camera, bytes)
    await retention.settled()
  }
  expect(disk.removed[0]).toBe('yard.back/1.mp4')
  expect(disk.files.has('door.front/0.mp4')).toBe(true)
})
