import { getSession } from '../api/calls.ts'
import { RelayKeeper } from './relay-keeper.ts'

/** The relay of this page. */
export const relay = new RelayKeeper({
  ask: async () => (await getSession()).relay,
  now: () => Date.now(),
  timer: (run, ms) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
})

document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') relay.wake()
})
