import type { SessionStages } from '../metrics/session-report.ts'

/** In the order in which a session comes by them. */
export type Step = 'found' | 'answered' | 'path' | 'keys' | 'media'

/** Notes when a session first came to each step on the way to a picture. */
export class StageClock {
  readonly #now: () => number
  readonly #askedMs: number
  readonly #at: Partial<Record<Step, number>> = {}

  /** @param now ms, monotone @param askedMs when the session was asked for, on that clock */
  constructor(now: () => number, askedMs: number) {
    this.#now = now
    this.#askedMs = askedMs
  }

  /** Only the first time counts. */
  reached(step: Step): void {
    this.#at[step] ??= this.#now()
  }

  get stages(): SessionStages {
    const { found, answered, path, keys, media } = this.#at
    // An agent may find a path before the other side has our answer (RFC 8445 §7.3); keys need both.
    const ready = path === undefined || answered === undefined ? undefined : Math.max(path, answered)
    return {
      camera: between(this.#askedMs, found),
      signaling: between(found ?? this.#askedMs, answered),
      ice: between(answered, path),
      dtls: between(ready, keys),
      firstPacket: between(keys, media),
      total: between(this.#askedMs, media),
    }
  }
}

/** To a tenth of a ms; 0 where the later step came first, or the engine told so of two that came at once. */
function between(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, Math.round((to - from) * 10) / 10)
}
