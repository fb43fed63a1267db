import { systemTimers, type Timers } from './session-machine.ts'

/** How often a camera that does not come is asked again, ms. */
const againMs = 2_500

/** Asks at once and then again and again. @returns ends it */
export function keepAsking(ask: () => void, timers: Timers = systemTimers): () => void {
  let stop = () => {}
  const next = () => {
    stop = timers.set(next, againMs)
    ask()
  }
  next()
  return () => stop()
}
