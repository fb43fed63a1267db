import type { SessionMetrics } from '../metrics/session-metrics.ts'
import type { SessionReport } from '../metrics/session-report.ts'

/** A session as far as its figures go. */
export interface Reporting {
  report(): SessionReport
}

export interface SessionBookOptions {
  metrics: SessionMetrics
  /** How often each session's figures go into the metrics, ms. */
  sampleMs?: number
}

/** All sessions that there are, of viewers and of cameras, and their way into the metrics. */
export class SessionBook implements AsyncDisposable {
  readonly #metrics: SessionMetrics
  /** With what was last counted of each. */
  readonly #sessions = new Map<Reporting, SessionReport | undefined>()
  readonly #timer: NodeJS.Timeout

  constructor({ metrics, sampleMs = 5_000 }: SessionBookOptions) {
    this.#metrics = metrics
    this.#timer = setInterval(() => this.sample(), sampleMs)
    this.#timer.unref()
  }

  /** Enters a session; the returned function takes it out, to be called while it still knows its figures. */
  add(session: Reporting): () => void {
    this.#sessions.set(session, undefined)
    return () => {
      if (!this.#sessions.has(session)) return
      this.#metrics.count(session.report(), this.#sessions.get(session))
      this.#sessions.delete(session)
    }
  }

  /** The oldest first. */
  reports(): SessionReport[] {
    return [...this.#sessions.keys()].map((session) => session.report())
  }

  /** Puts into the metrics what came since the last time. */
  sample(): void {
    const reports: SessionReport[] = []
    for (const [session, before] of this.#sessions) {
      const report = session.report()
      this.#metrics.count(report, before)
      if (report.state === 'live') this.#metrics.observe(report)
      this.#sessions.set(session, report)
      reports.push(report)
    }
    this.#metrics.present(reports)
  }

  /** Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
  }
}
