import type { RunLedger } from './ledger.ts'
import { Spans } from './spans.ts'

/** Holes are collected this long before they are asked for, ms: what comes late is not lost. */
const collectMs = 500
/** Questions in one go. */
const maxQuestions = 16
/** Frames in one question: four minutes at 25 a second. */
const maxFrames = 6_000
/** Holes that wait to be asked for. */
const maxHoles = 1_024

interface Hole {
  run: string
  from: number
  to: number
}

/** Asks the device once for frames that are missing. */
export class HoleAsker {
  readonly #ask: (run: string, from: number, to: number) => void
  readonly #ledger: (run: string) => RunLedger | undefined
  readonly #asked = new Map<string, Spans>()
  #holes: Hole[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(ask: (run: string, from: number, to: number) => void, ledger: (run: string) => RunLedger | undefined) {
    this.#ask = ask
    this.#ledger = ledger
  }

  /** Frames `from`…`to` of `run` (inclusive) did not come. */
  missing(run: string, from: number, to: number): void {
    if (to < from || this.#holes.length >= maxHoles) return
    this.#holes.push({ run, from, to: Math.min(to, from + maxFrames - 1) })
    this.#timer ??= setTimeout(() => this.#askNow(), collectMs)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#holes = []
  }

  #askNow(): void {
    this.#timer = undefined
    const wanted = new Map<string, Spans>()
    for (const { run, from, to } of this.#holes) {
      const spans = wanted.get(run) ?? new Spans(1)
      wanted.set(run, spans)
      for (let frame = from; frame <= to; frame += 1) if (this.#isNew(run, frame)) spans.add(frame, frame)
    }
    this.#holes = []
    let questions = 0
    for (const [run, spans] of wanted) {
      for (const [from, to] of spans.list()) {
        questions += 1
        if (questions > maxQuestions) return
        this.#askedOf(run).add(from, to)
        this.#ask(run, from, to)
      }
    }
  }

  #isNew(run: string, frame: number): boolean {
    return !this.#askedOf(run).has(frame) && !this.#ledger(run)?.video.has(frame)
  }

  #askedOf(run: string): Spans {
    const known = this.#asked.get(run)
    if (known) return known
    // a new run makes what was asked of the old ones history
    this.#asked.clear()
    const spans = new Spans(1)
    this.#asked.set(run, spans)
    return spans
  }
}
