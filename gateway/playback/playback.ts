import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { type Movie, movieOf } from './movie.ts'
import { PartBytes } from './part-bytes.ts'
import { type CameraRange, eventRange, type Recorded, recordedParts } from './recorded-parts.ts'
import { playlistOf, type Segment, type SegmentUris, segmentsOf } from './segments.ts'

/** Events whose growing playlist is remembered. */
const maxGrowing = 64
/** A player that has seen a playlist grow gets its end for so long, ms. */
const rememberedMs = 60_000
/** Relative to the event's own address. */
const eventUris: SegmentUris = { init: (config) => `init/${config}.mp4`, part: (id) => `parts/${id}.m4s` }

export interface PlaybackOptions {
  db: Kysely<Schema>
  /** The recordings directory. */
  directory: string
  /** Whether more of an event is to be recorded. */
  isActive(camera: string, eventId: string): boolean
  /** ms since the Unix epoch */
  now: () => number
}

/** How far the recording of an event is. */
export interface RecordingState {
  state: 'none' | 'growing' | 'complete'
  /** ms since the Unix epoch; null where there is nothing yet. */
  fromMs: number | null
  toMs: number | null
  bytes: number
  /** Missing spans, [from, to] in ms. */
  gaps: [number, number][]
}

interface Growing {
  segments: Segment[]
  /** When it was seen complete. */
  completeAt: number | undefined
}

/** Plays what is recorded of events: as one MP4, and as HLS. */
export class Playback {
  readonly #options: PlaybackOptions
  readonly #source: PartBytes
  readonly #growing = new Map<string, Growing>()

  constructor(options: PlaybackOptions) {
    this.#options = options
    this.#source = new PartBytes(options.directory)
  }

  /** The camera of an event. @throws PorchlightError `event_not_found` */
  async camera(eventId: string): Promise<string> {
    return (await eventRange(this.#options.db, eventId)).camera
  }

  /** @throws PorchlightError `event_not_found` */
  async recording(eventId: string): Promise<RecordingState> {
    const { camera, parts, gaps } = await this.#parts(eventId)
    const active = this.#options.isActive(camera, eventId)
    return {
      state: active ? 'growing' : parts.length > 0 ? 'complete' : 'none',
      fromMs: parts[0]?.start_ms ?? null,
      toMs: parts.length > 0 ? Math.max(...parts.slice(-8).map((part) => part.end_ms)) : null,
      bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      gaps,
    }
  }

  /** What is there so far as one file. @throws PorchlightError `event_not_found`, `recording_empty`, `recording_not_found` */
  async movie(eventId: string): Promise<Movie> {
    const { parts } = await this.#parts(eventId)
    return movieOf(parts, this.#source)
  }

  /** @throws PorchlightError `event_not_found`, `recording_empty`, `recording_no_hls` */
  async playlist(eventId: string): Promise<string> {
    const { camera, parts } = await this.#parts(eventId)
    const active = this.#options.isActive(camera, eventId)
    const segments = this.#inOrderOfGrowth(eventId, segmentsOf(parts, active), active)
    if (segments.length === 0) throw new PorchlightError('recording_empty')
    return playlistOf(segments, active, eventUris)
  }

  /** The bytes of one segment of the playlist. @throws PorchlightError `recording_not_found` */
  async segment(eventId: string, id: number): Promise<Uint8Array> {
    const { parts, fromMs } = await this.#parts(eventId)
    const segment =
      segmentsOf(parts, false).find((candidate) => candidate.id === id) ??
      this.#growing.get(eventId)?.segments.find((candidate) => candidate.id === id)
    if (segment === undefined) throw new PorchlightError('recording_not_found')
    return this.#source.segment(segment, fromMs)
  }

  /** The init segment of a configuration in the event's playlist. @throws PorchlightError `recording_not_found` */
  async init(eventId: string, config: string): Promise<Uint8Array> {
    const { parts } = await this.#parts(eventId)
    const part = parts.find((candidate) => candidate.config === config)
    if (part === undefined) throw new PorchlightError('recording_not_found')
    return this.#source.init(part)
  }

  async #parts(eventId: string): Promise<CameraRange & Recorded> {
    const range = await eventRange(this.#options.db, eventId)
    return { ...range, ...(await recordedParts(this.#options.db, range)) }
  }

  /**
   * A playlist may only grow at its end (RFC 8216 §6.2.1), and footage mostly comes before what is listed already: who
   * saw it grow is shown that only after a while.
   */
  #inOrderOfGrowth(eventId: string, segments: Segment[], active: boolean): Segment[] {
    const { now } = this.#options
    for (const [id, { completeAt }] of this.#growing) {
      if (completeAt !== undefined && now() - completeAt > rememberedMs) this.#growing.delete(id)
    }
    const known = this.#growing.get(eventId)
    if (known === undefined) {
      if (!active || segments.length === 0) return segments
      const [oldest] = this.#growing.size >= maxGrowing ? this.#growing.keys() : []
      if (oldest !== undefined) this.#growing.delete(oldest)
      this.#growing.set(eventId, { segments, completeAt: undefined })
      return segments
    }
    const listed = known.segments.at(-1)
    const later = segments.filter((segment) => listed !== undefined && segment.startMs >= listed.endMs - 1)
    known.segments = [...known.segments, ...later]
    if (active) known.completeAt = undefined
    else known.completeAt ??= now()
    return known.segments
  }
}
