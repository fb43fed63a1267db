import type { ErrorCode } from '@porchlight/proto/errors.ts'
import type { GoneReason } from '@porchlight/proto/frames.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Schema } from '../store/schema.ts'
import { GapBook } from './gap-book.ts'
import type { GapReason } from './gap-spans.ts'
import { HoleAsker } from './hole-asker.ts'
import type { CameraLedger } from './ledger.ts'
import { PrerollCheck } from './preroll-check.ts'
import { Spans } from './spans.ts'
import { wantedHoles } from './wanted-holes.ts'

/** When pictures come (again), or the device does, it first delivers by itself what it knows to be missing, ms. */
export const lookMs = 15_000
/** Gaps about which a device that comes back is asked once more. */
const maxAgain = 16
/** Runs of which it is remembered what could not be written. */
const maxRuns = 8

/** What is counted of recordings that lack something. */
export interface CompletenessCounts {
  /** So many frames will never come. */
  gap(reason: GapReason, frames: number): void
  /** So many frames of gaps came after all. */
  filled(frames: number): void
  /** An event lacks pre-roll for good. */
  prerollMissing(): void
}

export interface CompletenessOptions {
  db: Kysely<Schema>
  camera: string
  ledger: CameraLedger
  log: Logger
  /** ms since the Unix epoch */
  now: () => number
  /** Calls back once after so many ms. @returns takes it back */
  schedule(callback: () => void, ms: number): () => void
  /** Asks the device for frames; undefined where nobody keeps any. */
  ask: ((run: string, from: number, to: number) => void) | undefined
  /** Whether all of the camera is to be recorded at a moment. */
  continuous(ms: number): boolean
  counts: CompletenessCounts
}

/** Sees to it that nothing is missing of one camera's recordings: asks for it, and keeps account of what will never come. */
export class Completeness {
  readonly #options: CompletenessOptions
  readonly #asker: HoleAsker
  readonly #gaps: GapBook
  readonly #preroll: PrerollCheck
  /** Frames that came and could not be written, by run and error. */
  readonly #unwritten = new Map<string, Map<ErrorCode, Spans>>()
  #online = true
  #stopLook: () => void = () => undefined

  constructor(options: CompletenessOptions) {
    const { ledger, ask, counts, db, camera, now, log, schedule } = options
    this.#options = options
    this.#gaps = new GapBook({ db, camera, now })
    this.#asker = new HoleAsker({
      ask: ask ?? (() => undefined),
      ledger: (run) => ledger.ready(run),
      onEnded: (run, from, to) => this.#inBackground(() => this.#addGap(run, from, to, 'unanswered')),
      schedule,
    })
    const pending = () => !this.#online || this.#asker.asking
    this.#preroll = new PrerollCheck({ db, camera, log, schedule, pending, onMissing: () => counts.prerollMissing() })
  }

  /** Frames `from`…`to` of `run` (inclusive) did not come. */
  missing(run: string, from: number, to: number): void {
    if (this.#options.ask) this.#asker.missing(run, from, to)
    else this.#inBackground(() => this.gone(run, [[from, to]], 'not_kept'))
  }

  /** Frames came and could not be written: the device may still have them when they can be. */
  unwritten(run: string, from: number, to: number, code: ErrorCode): void {
    const codes = this.#unwritten.get(run) ?? new Map<ErrorCode, Spans>()
    const spans = codes.get(code) ?? new Spans(1)
    spans.add(from, to)
    codes.set(code, spans)
    this.#unwritten.set(run, codes)
    const [oldest] = this.#unwritten.keys()
    if (oldest !== undefined && this.#unwritten.size > maxRuns) this.#unwritten.delete(oldest)
    this.missing(run, from, to)
  }

  /** Frames are on the disk. */
  recorded(run: string, from: number, to: number): void {
    this.#inBackground(async () => {
      const frames = await this.#gaps.fill(run, from, to)
      if (frames > 0) this.#options.counts.filled(frames)
    })
  }

  /** The device says that frames will never come. @throws PorchlightError `index_failed` */
  async gone(run: string, ranges: readonly (readonly [number, number])[], reason: GoneReason): Promise<void> {
    const { video } = await this.#options.ledger.load(run)
    for (const [from, to] of ranges) {
      for (const [low, high] of video.missing(from, to)) {
        this.#asker.gone(run, low, high)
        await this.#addGap(run, low, high, reason)
      }
    }
  }

  /** Pictures of a run come: what is missing before them is looked for once it has had time to come by itself. */
  picturesCome(run: string): void {
    this.#lookSoon(run)
  }

  /** The camera's device is connected (as the run `bootId`), or not any more. */
  online(on: boolean, bootId: string | undefined): void {
    this.#online = on
    this.#asker.online(on)
    if (!on) return
    this.#inBackground(async () => {
      for (const { run, from, to } of await this.#gaps.unanswered(maxAgain)) this.missing(run, from, to)
    })
    if (bootId !== undefined) this.#lookSoon(bootId)
  }

  eventBegan(id: string): void {
    this.#preroll.eventBegan(id)
  }

  /** Asks no more; resolves when what is known is stored. Idempotent. */
  async close(): Promise<void> {
    this.#stopLook()
    this.#asker.close()
    this.#preroll.close()
    await this.#gaps.settled()
  }

  #lookSoon(run: string): void {
    this.#stopLook()
    this.#stopLook = this.#options.schedule(() => this.#inBackground(() => this.#look(run)), lookMs)
  }

  async #look(run: string): Promise<void> {
    const { durable } = await this.#options.ledger.load(run)
    for (const [from, to] of await wantedHoles(this.#options, run, durable.list())) this.missing(run, from, to)
  }

  async #addGap(run: string, from: number, to: number, reason: GapReason): Promise<void> {
    const rest = new Spans(1)
    rest.add(from, to)
    for (const [code, spans] of this.#unwritten.get(run) ?? []) {
      for (const [low, high] of spans.within(from, to)) {
        for (const [first, last] of rest.within(low, high)) await this.#count(run, first, last, code)
        rest.remove(low, high)
      }
    }
    for (const [low, high] of rest.list()) await this.#count(run, low, high, reason)
  }

  async #count(run: string, from: number, to: number, reason: GapReason): Promise<void> {
    const { counts, log } = this.#options
    const frames = await this.#gaps.add(run, from, to, reason)
    if (frames === 0) return
    counts.gap(reason, frames)
    log.warn({ run, from, to, reason }, 'pictures are missing for good')
  }

  #inBackground(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#options.log.error({ err: error }, 'gaps could not be kept account of'))
  }
}
