import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { type CodedPicture, firstPicture, pictureStream } from '../stills/picture-stream.ts'
import { toJpeg } from '../stills/to-jpeg.ts'
import type { Schema } from '../store/schema.ts'
import { PartBytes } from './part-bytes.ts'
import { PictureFiles } from './picture-files.ts'
import { type RecordedPart, recordedParts } from './recorded-parts.ts'

const minuteMs = 60_000
/** One picture for so long, ms, where there is a keyframe. */
const stepMs = 5_000
const columns = 4
/** Of one picture, pixels. */
const width = 160
const height = 90
/** Sprites that wait for their turn: one is made at a time. */
const maxWaiting = 64

export interface SpriteOptions {
  db: Kysely<Schema>
  /** The recordings directory. */
  directory: string
  /** Path of ffmpeg; undefined: there are none. */
  ffmpeg: string | undefined
  log: Pick<Logger, 'warn'>
}

/** Where the pictures of a sprite stand: row by row, from the upper left corner. */
export interface SpritePlan {
  /** Of one picture, pixels. */
  width: number
  height: number
  columns: number
  /** Capture times, ms since the Unix epoch. */
  pictures: number[]
}

/** Small pictures of each minute, to scrub by: made of keyframes when somebody asks, one at a time, and kept on the disk. */
export class Sprites implements AsyncDisposable {
  readonly #options: SpriteOptions
  readonly #source: PartBytes
  readonly #files: PictureFiles
  readonly #abort = new AbortController()
  readonly #making = new Map<string, Promise<Uint8Array>>()
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: SpriteOptions) {
    this.#options = options
    this.#source = new PartBytes(options.directory)
    this.#files = new PictureFiles(join(options.directory, '.sprites'))
  }

  /** @param minute since the Unix epoch. @throws PorchlightError `range_empty` */
  async plan(camera: string, minute: number): Promise<SpritePlan> {
    const parts = await this.#keyframes(camera, minute)
    return { width, height, columns, pictures: parts.map((part) => Math.round(part.start_ms)) }
  }

  /** @throws PorchlightError `range_empty`, `ffmpeg_missing`, `ffmpeg_failed`, `too_many_requests`, `recording_not_found` */
  async jpeg(camera: string, minute: number): Promise<Uint8Array> {
    const parts = await this.#keyframes(camera, minute)
    const places = JSON.stringify([camera, minute, parts.map(({ path, offset }) => [path, offset])])
    const name = `${createHash('sha256').update(places).digest('hex')}.jpg`
    const kept = await this.#files.get(name)
    if (kept) return kept
    const running = this.#making.get(name)
    if (running) return running
    if (this.#making.size >= maxWaiting) throw new PorchlightError('too_many_requests')
    const making = this.#tail.then(() => this.#make(name, parts)).finally(() => this.#making.delete(name))
    this.#making.set(name, making)
    this.#tail = making.catch(() => undefined) // told to who asked
    return making
  }

  /** Ends what runs. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#tail
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The first keyframe of each step, of the configuration that the minute begins with. */
  async #keyframes(camera: string, minute: number): Promise<RecordedPart[]> {
    const fromMs = minute * minuteMs
    const toMs = fromMs + minuteMs
    const { parts } = await recordedParts(this.#options.db, { camera, fromMs, toMs })
    const steps = new Map<number, RecordedPart>()
    for (const part of parts) {
      const step = Math.floor((part.start_ms - fromMs) / stepMs)
      if (part.keyframe === 1 && step >= 0 && !steps.has(step)) steps.set(step, part)
    }
    const chosen = [...steps.values()].toSorted((a, b) => a.start_ms - b.start_ms)
    if (chosen.length === 0) throw new PorchlightError('range_empty')
    return chosen.filter((part) => part.config === chosen[0]!.config)
  }

  async #make(name: string, parts: readonly RecordedPart[]): Promise<Uint8Array> {
    const { ffmpeg, log } = this.#options
    if (ffmpeg === undefined) throw new PorchlightError('ffmpeg_missing')
    const init = await this.#source.init(parts[0]!)
    const pictures = await Promise.all(parts.map((part) => this.#picture(init, part)))
    const rows = Math.ceil(parts.length / columns)
    const filters = [
      `scale=${width}:${height}:force_original_aspect_ratio=decrease`,
      `pad=${width}:${height}:-1:-1`,
      `tile=${columns}x${rows}`,
    ]
    const stream = pictureStream(init, pictures)
    const jpeg = await toJpeg(ffmpeg, { init, stream, filters }, this.#abort.signal)
    await this.#files.put(name, jpeg).catch((error: unknown) => {
      log.warn({ code: asPorchlightError(error, 'disk_failed').code, err: error }, 'a sprite was not kept')
    })
    return jpeg
  }

  /** The keyframe that a part begins with. */
  async #picture(init: Uint8Array, part: RecordedPart): Promise<CodedPicture> {
    const picture = firstPicture(init, await this.#source.part(part, part.base_ms, 1, false))
    if (picture === undefined) throw new PorchlightError('recording_not_found', part.path)
    return { shownLater: 0, keyframe: true, reference: true, data: [picture] }
  }
}
