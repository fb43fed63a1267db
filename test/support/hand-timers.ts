import type { Timers } from '../../gateway/signaling/session-machine.ts'

/** Timers that go off when the test says so. */
export class HandTimers implements Timers {
  /** All that were ever set, in order. */
  readonly all: { ms: number; callback: () => void; stopped: boolean }[] = []

  set(callback: () => void, ms: number): () => void {
    const timer = { ms, callback, stopped: false }
    this.all.push(timer)
    return () => {
      timer.stopped = true
    }
  }

  /** Those that were set to this time and still run go off, once. */
  fire(ms: number | undefined): void {
    for (const timer of this.all.filter((one) => one.ms === ms && !one.stopped)) {
      timer.stopped = true
      timer.callback()
    }
  }
}
