import type { RunLedger } from './ledger.ts'
import { Spans } from './spans.ts'

/** Holes are collected this long before they are asked for, ms: what comes late is not lost. */
export const collectMs = 500
/**
 * Questions and footage get lost: what has not come is asked for again after these times, ms (5, 15, 45 and 120 s after
 * the first question); the last of them ends the asking.
 */
export const againMs = [5_000, 10_000, 30_000, 75_000, 120_000] as const
/** Questions in one go; further ones follow after `collectMs`. */
const maxQuestions = 16
/** Holes that are asked for at a time. */
const maxHoles = 1_024
/** Runs of which it is remembered what will never come. */
const maxRuns = 16

export interface HoleAskerOptions {
  /** Asks the device for frames `from`…`to` (inclusive). */
  ask(run: string, from: number, to: number): void
  /** What of a run is recorded or on its way, where that is known. */
  ledger(run: string): Pick<RunLedger, 'video'> | undefined
  /** Nobody is asked for these any more: the device said that they will not come, or nothing. */
  onEnded(run: string, from: number, to: number): void
  /** Calls back once after so many ms. @returns takes it back */
  schedule(callback: () => void, ms: number): () => void
}

/** Holes that were found at about the same time. */
interface Batch {
  holes: Map<string, Spans>
  /** Questions so far. */
  asked: number
  stop(): void
}

/**
 * Asks the device for frames that are missing: again and again until they are there, until it says that they will not come,
 * or until it has said nothing for minutes. While it is not connected nobody is asked, and nothing ends.
 */
export class HoleAsker {
  readonly #options: HoleAskerOptions
  readonly #batches = new Set<Batch>()
  /** What is being collected. */
  #next: Batch | undefined
  /** What will never come, by run. */
  readonly #gone = new Map<string, Spans>()
  #online = true
  #closed = false

  constructor(options: HoleAskerOptions) {
    this.#options = options
  }

  /** Frames `from`…`to` of `run` (inclusive) did not come. */
  missing(run: string, from: number, to: number): void {
    if (this.#closed) return
    for (const [low, high] of this.#unknown(run, from, to)) {
      if (this.#holes() >= maxHoles) this.#options.onEnded(run, low, high)
      else addTo(this.#collecting().holes, run, low, high)
    }
    const gone = this.#gone.get(run)
    // what was there for a while, and could not be written
    for (const [low, high] of gone?.within(from, to) ?? []) this.#options.onEnded(run, low, high)
  }

  /** The device has said that these will never come. */
  gone(run: string, from: number, to: number): void {
    for (const { holes } of this.#batches) holes.get(run)?.remove(from, to)
    addTo(this.#gone, run, from, to)
    const [oldest] = this.#gone.keys()
    if (oldest !== undefined && this.#gone.size > maxRuns) this.#gone.delete(oldest)
  }

  /** Whether something is still being asked for. */
  get asking(): boolean {
    return this.#holes() > 0
  }

  /** The device is connected, or not any more. When it comes, everything that is missing is asked for at once, from the start. */
  online(on: boolean): void {
    if (this.#closed) return
    this.#online = on
    const holes = new Map<string, Spans>()
    for (const batch of this.#batches) {
      batch.stop()
      for (const [run, spans] of batch.holes) for (const [from, to] of spans.list()) addTo(holes, run, from, to)
    }
    this.#batches.clear()
    this.#next = undefined
    if (holes.size === 0) return
    const batch: Batch = { holes, asked: 0, stop: () => undefined }
    this.#batches.add(batch)
    this.#next = batch
    if (on) this.#ask(batch)
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true
    for (const batch of this.#batches) batch.stop()
    this.#batches.clear()
    this.#next = undefined
  }

  #collecting(): Batch {
    if (this.#next) return this.#next
    const batch: Batch = { holes: new Map(), asked: 0, stop: () => undefined }
    this.#next = batch
    this.#batches.add(batch)
    if (this.#online) this.#wait(batch, collectMs)
    return batch
  }

  #wait(batch: Batch, ms: number): void {
    batch.stop = this.#options.schedule(() => this.#ask(batch), ms)
  }

  #ask(batch: Batch): void {
    if (this.#next === batch) this.#next = undefined
    const holes = this.#stillMissing(batch.holes)
    batch.holes = new Map()
    const wait = againMs[batch.asked]
    if (holes.length === 0 || wait === undefined) {
      this.#batches.delete(batch)
      for (const [run, from, to] of holes) this.#options.onEnded(run, from, to)
      return
    }
    for (const [run, from, to] of holes.slice(0, maxQuestions)) {
      addTo(batch.holes, run, from, to)
      this.#options.ask(run, from, to)
    }
    const { asked } = batch
    batch.asked += 1
    this.#wait(batch, wait)
    if (holes.length <= maxQuestions) return
    const rest: Batch = { holes: new Map(), asked, stop: () => undefined }
    for (const [run, from, to] of holes.slice(maxQuestions)) addTo(rest.holes, run, from, to)
    this.#batches.add(rest)
    this.#wait(rest, collectMs)
  }

  #stillMissing(holes: ReadonlyMap<string, Spans>): [run: string, from: number, to: number][] {
    return [...holes].flatMap(([run, spans]) => {
      const recorded = this.#options.ledger(run)?.video
      return spans
        .list()
        .flatMap(([from, to]) => recorded?.missing(from, to) ?? [[from, to] as const])
        .map(([from, to]): [string, number, number] => [run, from, to])
    })
  }

  /** What of the frames is neither recorded, nor asked for, nor told to be gone. */
  #unknown(run: string, from: number, to: number): [number, number][] {
    const known = new Spans(1)
    const recorded = this.#options.ledger(run)?.video
    const spans = [recorded, this.#gone.get(run), ...[...this.#batches].map(({ holes }) => holes.get(run))]
    for (const one of spans) for (const [low, high] of one?.within(from, to) ?? []) known.add(low, high)
    return to < from ? [] : known.missing(from, to)
  }

  #holes(): number {
    let holes = 0
    for (const batch of this.#batches) for (const spans of batch.holes.values()) holes += spans.list().length
    return holes
  }
}

function addTo(runs: Map<string, Spans>, run: string, from: number, to: number): void {
  const spans = runs.get(run) ?? new Spans(1)
  runs.set(run, spans)
  spans.add(from, to)
}
