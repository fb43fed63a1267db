import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import type { RunLedger } from './ledger.ts'

/** Frames that may wait for the ledger of their run. */
const maxWaiting = 4_096

/** Both inclusive. */
export interface LostFrames {
  run: string
  from: number
  to: number
}

export interface RunGateOptions {
  /** @throws PorchlightError `index_failed` */
  load(run: string): Promise<RunLedger>
  /** A run begins: what has waited comes next. */
  onBegin(run: string, ledger: RunLedger): void
  /** The run ends, or has not begun at all: nothing more comes until another one begins. */
  onLeave(): void
  /** Frames came that nothing could take, for want of the index. */
  onLost(error: PorchlightError, frames: LostFrames): void
  /** Work that goes on. */
  track(work: Promise<void>): void
}

/** Holds back what comes of a run until it is known what of it is recorded. Nothing that it cannot hold is lost silently. */
export class RunGate {
  readonly #options: RunGateOptions
  /** As the frames come. */
  #name = ''
  /** That which has begun or is being loaded; empty where it could not be. */
  #run = ''
  #waiting: { step: () => void; frame: number | undefined }[] | undefined
  #lost: LostFrames | undefined

  constructor(options: RunGateOptions) {
    this.#options = options
  }

  /** What comes has to wait. */
  get waiting(): boolean {
    return this.#waiting !== undefined
  }

  /** What comes from now on is of this run. */
  enter(run: string): void {
    if (run === this.#run) return
    this.#leave(slow())
    this.#name = run
    this.#run = run
    this.#waiting = []
    const loading = this.#options.load(run).then(
      (ledger) => this.#begin(run, ledger),
      (error: unknown) => {
        if (run === this.#run) this.#leave(asPorchlightError(error, 'index_failed'))
      },
    )
    this.#options.track(loading)
  }

  unit(unit: AccessUnit, take: (unit: AccessUnit) => void): void {
    // the ledger could not be loaded: perhaps it can by now
    if (this.#run === '' && unit.keyframe && this.#name !== '') this.enter(this.#name)
    if (this.#run === '' || !this.#pass(() => take(unit), unit.frame)) this.#lose(unit.frame)
  }

  /** Does something after what came before. */
  inOrder(step: () => void): void {
    this.#pass(step)
  }

  /** Tells of the frames that nothing took so far. */
  tellLost(error = slow()): void {
    const lost = this.#lost
    this.#lost = undefined
    if (lost) this.#options.onLost(error, lost)
  }

  #begin(run: string, ledger: RunLedger): void {
    if (run !== this.#run) return
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    this.#options.onBegin(run, ledger)
    for (const { step } of waiting) step()
    this.tellLost()
  }

  #leave(error: PorchlightError): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    this.#run = ''
    this.#options.onLeave()
    for (const { step, frame } of waiting) {
      if (frame === undefined) step()
      else this.#lose(frame)
    }
    this.tellLost(error)
  }

  /** @returns false where too much waits already */
  #pass(step: () => void, frame?: number): boolean {
    if (this.#waiting === undefined) step()
    else if (this.#waiting.length >= maxWaiting) return false
    else this.#waiting.push({ step, frame })
    return true
  }

  #lose(frame: number): void {
    const { from, to } = this.#lost ?? { from: frame, to: frame }
    if (this.#name !== '') this.#lost = { run: this.#name, from: Math.min(from, frame), to: Math.max(to, frame) }
  }
}

function slow(): PorchlightError {
  return new PorchlightError('index_failed', 'it is too slow')
}
