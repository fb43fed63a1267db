import type { FileHandle } from 'node:fs/promises'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import {
  FootageDecoder,
  type FootageRecordHead,
  footagePeekBytes,
  maxFootageBytes,
  peekFootageRecord,
} from '@porchlight/proto/footage.ts'
import type { BodyPiece, BodyReader } from './footage-body.ts'
import { type FrameRange, type FrameRanges, rangesOf } from './ranges.ts'

/** Read at once while a file is looked through, bytes. */
const windowBytes = 64 * 1024

/** Bytes of a file from `start` up to `end` (exclusive). */
type Segment = [start: number, end: number]

/** What a file of the spool holds. */
export interface SpoolScan {
  run: string
  ranges: FrameRange[]
  /** Where the records are that were asked for, joined. */
  segments: Segment[]
  /** Whether it is sound to its end; else `ranges` and `segments` are what comes before the damage. */
  whole: boolean
}

/**
 * Looks through a footage body on the disk, from record to record and without reading the pictures.
 * @param only leaves the other pictures out, and the sound between them
 * @throws PorchlightError `spool_unreadable` where nothing of it can be read
 */
export async function scanSpoolFile(file: FileHandle, only?: FrameRanges): Promise<SpoolScan> {
  const { size } = await file.stat()
  const units: { frame: number }[] = []
  const segments: Segment[] = []
  const header = new RunReader()
  const look = new Window(file)
  /** Whether the picture before is wanted, and where its record ends: sound lies between the pictures. */
  let before = false
  let since = 0
  let at = 0
  const upTo = (wanted: boolean) => {
    if (wanted) extend(segments, since, at)
    since = at
  }
  for (let record = await next(look, at, size); record !== undefined; record = await next(look, at, size)) {
    if (record.kind === 'header' && !header.read(await look.at(at, record.bytes))) break
    if (header.run === undefined) break
    const kept = record.kind === 'unit' && (only === undefined || only.has(record.frame))
    if (kept) units.push(record)
    if (record.kind !== 'audio') upTo(before || kept)
    at += record.bytes
    if (record.kind === 'header') upTo(true)
    if (record.kind === 'unit') {
      upTo(kept)
      before = kept
    }
  }
  upTo(before)
  if (header.run === undefined) throw new PorchlightError('spool_unreadable')
  return { run: header.run, ranges: rangesOf(units), segments, whole: at === size }
}

/** Segments of a file as one body. */
export class SpoolBody implements BodyReader {
  readonly #file: FileHandle
  readonly #segments: readonly Segment[]
  readonly #bytes: number

  constructor(file: FileHandle, segments: readonly Segment[]) {
    this.#file = file
    this.#segments = segments
    this.#bytes = segments.reduce((sum, [start, end]) => sum + end - start, 0)
  }

  /** @throws PorchlightError `spool_unreadable` where the disk does not give the bytes */
  async read(offset: number, maxBytes: number): Promise<BodyPiece | undefined> {
    if (offset >= this.#bytes) return undefined
    const bytes = Buffer.alloc(Math.min(maxBytes, this.#bytes - offset))
    let filled = 0
    let before = 0
    for (const [start, end] of this.#segments) {
      const from = start + Math.max(0, offset + filled - before)
      before += end - start
      const take = Math.min(end - from, bytes.length - filled)
      if (take <= 0) continue
      const part = bytes.subarray(filled, filled + take)
      if ((await readAt(this.#file, part, from)) < take) {
        throw new PorchlightError('spool_unreadable', 'it has become shorter')
      }
      filled += take
    }
    return { bytes, last: offset + filled === this.#bytes }
  }
}

/** The header records; they name the run, always the same. */
class RunReader {
  run: string | undefined
  readonly #decoder = new FootageDecoder({
    header: ({ run }) => {
      this.run = run
    },
    unit: () => undefined,
    audio: () => undefined,
  })

  /** False where it is none. */
  read(record: Uint8Array): boolean {
    try {
      this.#decoder.push(record)
      return true
    } catch (error) {
      if (error instanceof PorchlightError) return false
      throw error
    }
  }
}

/** Bytes of a file, read a window at a time. */
class Window {
  readonly #file: FileHandle
  readonly #buffer = Buffer.alloc(windowBytes)
  #start = 0
  #bytes = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** At most a window; shorter at the end of the file. */
  async at(offset: number, length: number): Promise<Uint8Array> {
    if (offset < this.#start || offset + length > this.#start + this.#bytes) {
      this.#start = offset
      this.#bytes = await readAt(this.#file, this.#buffer, offset)
    }
    const from = offset - this.#start
    return this.#buffer.subarray(from, Math.min(from + length, this.#bytes))
  }
}

/** @returns bytes that were there @throws PorchlightError `spool_unreadable` with the disk's error as its cause */
async function readAt(file: FileHandle, bytes: Uint8Array, offset: number): Promise<number> {
  try {
    return (await file.read(bytes, 0, bytes.byteLength, offset)).bytesRead
  } catch (cause) {
    throw new PorchlightError('spool_unreadable', undefined, { cause })
  }
}

/** The record at `at`; undefined at the end, and where there is none or not all of one. */
async function next(look: Window, at: number, size: number): Promise<FootageRecordHead | undefined> {
  if (at >= size || at > maxFootageBytes) return undefined
  try {
    const head = peekFootageRecord(await look.at(at, footagePeekBytes))
    return at + head.bytes > Math.min(size, maxFootageBytes) ? undefined : head
  } catch (error) {
    if (error instanceof PorchlightError && error.code === 'footage_invalid') return undefined
    throw error
  }
}

function extend(segments: Segment[], start: number, end: number): void {
  if (start === end) return
  const last = segments.at(-1)
  if (last?.[1] === start) last[1] = end
  else segments.push([start, end])
}
