import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { movePart } from './move-part.ts'
import type { RecordedPart } from './recorded-parts.ts'
import type { Segment } from './segments.ts'

/** Init segments kept in memory: one per configuration, of which a camera has few. */
const maxInits = 64
/** The timeline of segments begins so long before what is wanted, ms: no segment begins earlier. */
export const leadMs = 60_000

/** Reads parts and init segments from recordings, and moves parts to another timeline on the way. */
export class PartBytes {
  readonly #directory: string
  readonly #inits = new Map<string, Promise<Uint8Array>>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The init segment of a part's file. @throws PorchlightError `recording_not_found` */
  init(part: Pick<RecordedPart, 'config' | 'path' | 'init_bytes'>): Promise<Uint8Array> {
    const known = this.#inits.get(part.config)
    if (known) return known
    if (this.#inits.size >= maxInits) this.#inits.clear()
    const reading = this.#read(part.path, 0, part.init_bytes)
    this.#inits.set(part.config, reading)
    reading.catch(() => this.#inits.delete(part.config))
    return reading
  }

  /**
   * A part's bytes in a timeline in which `zeroMs` (capture time) is 0; as many as the index says.
   * @param sequence number of the fragment
   * @param withAudio false takes its sound out
   * @throws PorchlightError `recording_not_found` where the file is gone or damaged
   */
  async part(part: RecordedPart, zeroMs: number, sequence: number, withAudio: boolean): Promise<Uint8Array> {
    const [bytes, init] = await Promise.all([this.#read(part.path, part.offset, part.bytes), this.init(part)])
    const endMs = part.until_ms === undefined ? undefined : part.until_ms - part.base_ms
    const moved = movePart(bytes, { init, shiftMs: part.base_ms - zeroMs, sequence, withAudio, endMs })
    if (!moved) throw new PorchlightError('recording_not_found', part.path)
    return bytes
  }

  /**
   * The bytes of a segment in the timeline of its playlist.
   * @param fromMs what the playlist shows begins here
   * @throws PorchlightError `recording_not_found`
   */
  async segment({ parts, startMs }: Segment, fromMs: number): Promise<Uint8Array> {
    const zeroMs = Math.min(fromMs - leadMs, startMs)
    const bytes = await Promise.all(parts.map((part, index) => this.part(part, zeroMs, part.id + index, true)))
    return new Uint8Array(Buffer.concat(bytes))
  }

  async #read(path: string, offset: number, length: number): Promise<Uint8Array> {
    try {
      await using file = await open(join(this.#directory, path), 'r')
      const bytes = new Uint8Array(length)
      const { bytesRead } = await file.read(bytes, 0, length, offset)
      if (bytesRead === length) return bytes
    } catch (cause) {
      throw new PorchlightError('recording_not_found', path, { cause })
    }
    throw new PorchlightError('recording_not_found', `${path} is cut off`)
  }
}
