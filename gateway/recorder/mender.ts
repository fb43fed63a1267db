import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { type PlacedSample, type ReadTrack, readFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { audioTrack, videoTimescale, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { recordedSound } from '@porchlight/proto/media/recording-init.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Part } from './part-builder.ts'
import { configHash } from './scan-files.ts'
import type { StreamConfig } from './stream-config.ts'

interface Neighbour {
  path: string
  base_ms: number
  init_bytes: number
  config: string
  run: string
  first_frame: number
  last_frame: number
  start_ms: number
  end_ms: number
  offset: number
  bytes: number
  generation: number
}

/**
 * Fits late frames into what is recorded. Mostly they are a part of their own between two others; with B-frames the
 * pictures of a hole are shown between those around it, and all of them become one part of a higher generation.
 */
export class Mender {
  readonly #db: Kysely<Schema>
  readonly #directory: string
  readonly #camera: string

  constructor(db: Kysely<Schema>, directory: string, camera: string) {
    this.#db = db
    this.#directory = directory
    this.#camera = camera
  }

  /** The configuration under which frames right before the part were recorded. @throws PorchlightError */
  async configAround(part: Part): Promise<StreamConfig | undefined> {
    const first = part.units[0]!
    const before = await this.#parts(part.run)
      .where('parts.last_frame', '<', first.frame)
      .orderBy('parts.last_frame', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (before === undefined) return undefined
    const init = await readBytes(join(this.#directory, before.path), 0, before.init_bytes)
    if (init === undefined || configHash(init) !== before.config) return undefined
    return { init, hash: before.config, audio: recordedSound(init) }
  }

  /** @returns undefined where the part can stand by itself @throws PorchlightError */
  async mend(part: Part, config: StreamConfig): Promise<{ part: Part; generation: number } | undefined> {
    const first = part.units[0]!.frame
    const last = part.units.at(-1)!.frame
    const rows = await this.#parts(part.run)
      .where((where) =>
        where.or([where('parts.last_frame', '=', first - 1), where('parts.first_frame', '=', last + 1)]),
      )
      .orderBy('parts.generation', 'desc')
      .execute()
    const before = rows.find((row) => row.last_frame === first - 1)
    const after = rows.find((row) => row.first_frame === last + 1)
    const interleaved = [
      before && before.end_ms > part.startMs + overlapMs(part) ? before : undefined,
      after && after.start_ms < part.endMs - overlapMs(part) ? after : undefined,
    ].filter((row) => row !== undefined && row.config === config.hash)
    if (interleaved.length === 0) return undefined
    let whole = part
    let generation = 0
    for (const row of interleaved as Neighbour[]) {
      const loaded = await this.#load(row, part.units[0]!, config)
      if (loaded === undefined) return undefined
      whole = joined(whole, loaded)
      generation = Math.max(generation, row.generation + 1)
    }
    return { part: whole, generation }
  }

  #parts(run: string) {
    return this.#db
      .selectFrom('parts')
      .innerJoin('files', 'files.id', 'parts.file_id')
      .select(['files.path', 'files.base_ms', 'files.init_bytes', 'files.config'])
      .select(['parts.run', 'parts.first_frame', 'parts.last_frame', 'parts.start_ms', 'parts.end_ms'])
      .select(['parts.offset', 'parts.bytes', 'parts.generation'])
      .where('parts.camera', '=', this.#camera)
      .where('parts.run', '=', run)
  }

  async #load(row: Neighbour, like: AccessUnit, { audio }: StreamConfig): Promise<Part | undefined> {
    const bytes = await readBytes(join(this.#directory, row.path), row.offset, row.bytes)
    const fragment = bytes && readFragment(bytes)
    if (fragment === undefined) return undefined
    const video = fragment.tracks.find(({ track }) => track === videoTrack)
    const sound = fragment.tracks.find(({ track }) => track === audioTrack)
    if (video === undefined) return undefined
    const units = timed(video).map(
      ([sample, ticks], index): AccessUnit => ({
        codec: like.codec,
        frame: row.first_frame + index,
        captureMs: row.base_ms + (ticks * 1_000) / videoTimescale,
        keyframe: sample.keyframe,
        reference: sample.reference,
        data: splitSample(like.codec, bytes!.subarray(sample.at, sample.at + sample.size)),
      }),
    )
    const frames =
      sound && audio
        ? timed(sound).map(
            ([sample, ticks], index): AudioFrame => ({
              ...audio,
              frame: index,
              captureMs: row.base_ms + (ticks * 1_000) / audio.clockRate,
              samples: sample.duration,
              data: bytes!.subarray(sample.at, sample.at + sample.size),
            }),
          )
        : []
    return { run: row.run, units, audio: frames, startMs: row.start_ms, endMs: row.end_ms }
  }
}

/** Half a picture's time: less is rounding. */
function overlapMs(part: Part): number {
  return (part.endMs - part.startMs) / part.units.length / 2
}

function timed({ baseTime, samples }: ReadTrack): [PlacedSample, number][] {
  let time = baseTime
  return samples.map((sample) => {
    const shown = time + sample.offset
    time += sample.duration
    return [sample, shown]
  })
}

/** Takes the length-prefixed NAL units of a sample apart again. */
function splitSample(codec: AccessUnit['codec'], bytes: Uint8Array): Uint8Array[] {
  if (codec !== 'h264' && codec !== 'h265') return [bytes]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const nals: Uint8Array[] = []
  for (let at = 0; at + 4 <= bytes.byteLength; ) {
    const length = view.getUint32(at)
    nals.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return nals
}

function joined(a: Part, b: Part): Part {
  return {
    run: a.run,
    units: [...a.units, ...b.units].toSorted((x, y) => x.frame - y.frame),
    audio: [...a.audio, ...b.audio].toSorted((x, y) => x.captureMs - y.captureMs),
    startMs: Math.min(a.startMs, b.startMs),
    endMs: Math.max(a.endMs, b.endMs),
  }
}

/** Bytes of a file; undefined where it does not have them. */
async function readBytes(path: string, offset: number, length: number): Promise<Uint8Array | undefined> {
  await using file = await open(path, 'r')
  const bytes = new Uint8Array(length)
  const { bytesRead } = await file.read(bytes, 0, length, offset)
  return bytesRead === length ? bytes : undefined
}
