import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { Spans } from './spans.ts'

/** Sound that lies this close together is one span, in ms. */
const audioTouchMs = 5

/** Runs of a camera that are remembered; those of earlier ones are read again when they are wanted. */
const maxRuns = 64

/** What of one run of a camera is recorded, or on its way to the disk: each frame is written once. */
export class RunLedger {
  /** Frame numbers. */
  readonly video = new Spans(1)
  /** Those that are on the disk. */
  readonly durable = new Spans(1)
  /** Capture times in ms. */
  readonly audio = new Spans(audioTouchMs)
}

/** The ledgers of one camera; those of earlier runs come from the index. */
export class CameraLedger {
  readonly #db: Kysely<Schema>
  readonly #camera: string
  readonly #runs = new Map<string, Promise<RunLedger>>()
  readonly #ready = new Map<string, RunLedger>()

  constructor(db: Kysely<Schema>, camera: string) {
    this.#db = db
    this.#camera = camera
  }

  /** The ledger of a run, if it was loaded. */
  ready(run: string): RunLedger | undefined {
    return this.#ready.get(run)
  }

  /** @throws PorchlightError `index_failed` */
  load(run: string): Promise<RunLedger> {
    const known = this.#runs.get(run)
    const loading = known ?? this.#read(run)
    // the one that was wanted longest ago stands first
    this.#runs.delete(run)
    this.#runs.set(run, loading)
    if (known) return known
    loading.then(
      (ledger) => {
        if (this.#runs.get(run) === loading) this.#ready.set(run, ledger)
      },
      () => this.#forget(run),
    )
    const [oldest] = this.#runs.keys()
    if (oldest !== undefined && this.#runs.size > maxRuns) this.#forget(oldest)
    return loading
  }

  #forget(run: string): void {
    this.#runs.delete(run)
    this.#ready.delete(run)
  }

  async #read(run: string): Promise<RunLedger> {
    const ledger = new RunLedger()
    const rows = await this.#db
      .selectFrom('parts')
      .select(['first_frame', 'last_frame', 'audio_json'])
      .where('camera', '=', this.#camera)
      .where('run', '=', run)
      .orderBy('first_frame')
      .execute()
    for (const row of rows) {
      ledger.video.add(row.first_frame, row.last_frame)
      ledger.durable.add(row.first_frame, row.last_frame)
      for (const [from, to] of JSON.parse(row.audio_json) as [number, number][]) ledger.audio.add(from, to)
    }
    return ledger
  }
}
