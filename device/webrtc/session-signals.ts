import type { Logger } from 'pino'
import type { ProducerSessionOptions, SignalBody } from './producer-options.ts'

/** Candidates of one message. */
const mostCandidates = 32

export interface SessionSignalsOptions {
  session: string
  send: ProducerSessionOptions['send']
  /** Whether the peer may be told our candidates by now. */
  tellsCandidates: () => boolean
  log: Logger
}

/** What one session says to the gateway after its offer, numbered. */
export class SessionSignals {
  readonly #options: SessionSignalsOptions
  /** The offer itself is number 0, whichever message carries it. */
  #seq = 1
  readonly #candidates: { candidate: string; mid: string }[] = []

  constructor(options: SessionSignalsOptions) {
    this.#options = options
  }

  /** Resolves at PUBACK. May reject. @param signature our proof */
  confirm(signature: string): Promise<void> {
    return this.#options.send({ type: 'confirm', signature, ...this.#next() })
  }

  bye(reason: string): void {
    this.#tell({ type: 'bye', reason, ...this.#next() })
  }

  /** Candidates found together travel together. */
  candidate(candidate: string, mid: string): void {
    this.#candidates.push({ candidate, mid })
    if (this.#candidates.length > 1) return
    queueMicrotask(() => {
      const candidates = this.#candidates.splice(0, mostCandidates)
      if (this.#options.tellsCandidates()) this.#tell({ type: 'candidates', candidates, ...this.#next() })
    })
  }

  #next(): { session: string; seq: number } {
    return { session: this.#options.session, seq: this.#seq++ }
  }

  #tell(body: SignalBody): void {
    this.#options.send(body).catch((error: unknown) => {
      this.#options.log.debug({ err: error, type: body.type }, 'signal not delivered')
    })
  }
}
