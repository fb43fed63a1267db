export interface FakeClock {
  now(): number
  /** Starts a timer and gives the way to stop it. */
  timer(run: () => void, ms: number): () => void
  /** Moves the clock, running what falls due in its order. */
  advance(ms: number): void
}

/** A clock that moves when the test says so. */
export function fakeClock(start = 1_000_000): FakeClock {
  let at = start
  const timers = new Set<{ due: number; run: () => void }>()
  return {
    now: () => at,
    timer: (run, ms) => {
      const timer = { due: at + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance: (ms) => {
      const end = at + ms
      for (;;) {
        const next = [...timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0]
        if (!next) break
        timers.delete(next)
        at = next.due
        next.run()
      }
      at = end
    },
  }
}
