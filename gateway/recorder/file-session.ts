import { crc32 } from 'node:zlib'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { PartRecord } from '@porchlight/proto/media/recording-record.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Disk, DiskFile } from './disk.ts'
import { audioSpans } from './encode-part.ts'
import { formatOf, type PartTimeline } from './file-format.ts'
import { partRow } from './index-rows.ts'
import type { Part } from './part-builder.ts'
import type { PartRows } from './part-rows.ts'
import type { StreamConfig } from './stream-config.ts'

/** A file holds no more than this and ends at the next keyframe, ms. */
const maxFileMs = 60_000
/** Bytes of parts that may wait in one session before more is refused. */
const maxWaitingBytes = 32 * 1024 * 1024

/** What came live, what was delivered later, and the small layer. */
export type RecordingKind = 'live' | 'footage' | 'sub'

export interface FileSessionOptions {
  disk: Disk
  db: Kysely<Schema>
  /** Of all cameras. */
  partRows: PartRows
  camera: string
  kind: RecordingKind
  /** ms since the Unix epoch */
  now: () => number
}

interface OpenFile {
  handle: DiskFile
  /** Of the index. */
  id: number
  config: StreamConfig
  timeline: PartTimeline
  startMs: number
  parts: number
  /** The index has all of its parts. */
  indexed: boolean
}

export interface WrittenPart {
  part: Part
  bytes: number
}

/** Writes one row of parts into files, one after the other: first the file has a part, then the index. */
export class FileSession {
  readonly #options: FileSessionOptions
  #tail: Promise<unknown> = Promise.resolve()
  #file: OpenFile | undefined
  #waitingBytes = 0

  constructor(options: FileSessionOptions) {
    this.#options = options
  }

  /**
   * Resolves when the part is on the disk and in the index. After a failure the next part begins a new file.
   * @throws PorchlightError `disk_*`, `index_failed`
   */
  add(part: Part, config: StreamConfig, generation: number): Promise<WrittenPart> {
    const bytes = weigh(part)
    if (this.#waitingBytes + bytes > maxWaitingBytes)
      return Promise.reject(new PorchlightError('disk_failed', 'the disk is too slow'))
    this.#waitingBytes += bytes
    const written = this.#tail.then(async () => {
      try {
        return await this.#write(part, config, generation)
      } catch (error) {
        // a file that cannot be finished either is closed at the next start
        await Promise.allSettled([this.#finish()])
        throw error
      } finally {
        this.#waitingBytes -= bytes
      }
    })
    this.#tail = written.then(
      () => undefined,
      () => undefined, // told to who asked
    )
    return written
  }

  /** Ends the open file after what was added. The next part begins a new one. @throws PorchlightError */
  end(): Promise<void> {
    const ended = this.#tail.then(() => this.#finish())
    this.#tail = ended.then(
      () => undefined,
      () => undefined, // told to who asked
    )
    return ended
  }

  async #write(part: Part, config: StreamConfig, generation: number): Promise<WrittenPart> {
    const open = this.#file
    const keyframe = part.units[0]?.keyframe === true
    const full = open && keyframe && part.startMs - open.startMs >= maxFileMs
    // a file's timeline cannot begin before its beginning
    const earlier = open && part.startMs < open.timeline.baseMs
    if (open && (open.config.hash !== config.hash || full || earlier)) await this.#finish()
    const file = this.#file ?? (await this.#create(part, config))
    this.#file = file
    const content = file.timeline.encode(part, config.audio !== undefined)
    const record: PartRecord = {
      v: 1,
      type: 'part',
      run: part.run,
      firstFrame: part.units[0]!.frame,
      lastFrame: part.units.at(-1)!.frame,
      keyframe,
      startMs: part.startMs,
      endMs: part.endMs,
      audio: config.audio ? audioSpans(part.audio) : [],
      generation,
      bytes: content.byteLength,
      crc: crc32(content),
    }
    const { offset } = await this.#options.disk.append(file.handle, [
      content,
      formatOf(config.init).writeRecord(record),
    ])
    file.parts += 1
    file.indexed = false
    await this.#options.partRows.add(partRow(file.id, this.#options.camera, { ...record, offset }))
    file.indexed = true
    return { part, bytes: record.bytes }
  }

  async #create(part: Part, config: StreamConfig): Promise<OpenFile> {
    const { camera, kind, disk, db, now } = this.#options
    const firstAudio = config.audio ? part.audio[0]?.captureMs : undefined
    const baseMs = Math.min(part.startMs, firstAudio ?? part.startMs)
    const format = formatOf(config.init)
    const record = format.writeRecord({ v: 1, type: 'file', camera, baseMs })
    const { file: handle, path } = await disk.create(fileStem(camera, part.startMs, kind), [config.init, record])
    try {
      const { id } = await db
        .insertInto('files')
        .values({
          camera,
          path,
          created_at: now(),
          base_ms: baseMs,
          init_bytes: config.init.byteLength,
          config: config.hash,
          closed: 0,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      const timeline = format.timeline(baseMs)
      return { handle, id, config, timeline, startMs: part.startMs, parts: 0, indexed: true }
    } catch (error) {
      await Promise.allSettled([disk.discard(handle)]) // what is left of it holds nothing
      throw error
    }
  }

  async #finish(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    this.#file = undefined
    if (file.parts === 0) {
      // its first part has failed
      await this.#options.disk.discard(file.handle)
      await this.#options.db.deleteFrom('files').where('id', '=', file.id).execute()
      return
    }
    const { whole } = await this.#options.disk.finish(file.handle)
    // else it stays open for the next start, which takes in what it holds and cuts off the rest
    if (!whole || !file.indexed) return
    await this.#options.db.updateTable('files').set({ closed: 1 }).where('id', '=', file.id).execute()
  }
}

/** `{camera}/{YYYY-MM-DD}/{HHMMSS.mmm}-{kind}`, in UTC. */
function fileStem(camera: string, startMs: number, kind: string): string {
  const [day, time] = new Date(startMs).toISOString().split('T') as [string, string]
  return `${camera}/${day}/${time.slice(0, 12).replaceAll(':', '')}-${kind}`
}

function weigh(part: Part): number {
  let bytes = 0
  for (const { data } of part.units) for (const piece of data) bytes += piece.byteLength
  for (const { data } of part.audio) bytes += data.byteLength
  return bytes
}
