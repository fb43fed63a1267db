import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { type ConnectionCounts, countsOf, figuresOf } from './connection-figures.ts'
import type { WhepSession } from './whep-client.ts'

const everyMs = 1_000

/** How this phone's own connection fares, looked at once a second. */
export function ConnectionPanel({ session }: { session: Signal<WhepSession | undefined> }) {
  const figures = useSignal<ReturnType<typeof figuresOf>>([])
  const current = session.value
  useEffect(() => {
    figures.value = []
    if (!current) return
    let before: ConnectionCounts | undefined
    let open = true
    const look = async () => {
      const counts = countsOf((await current.stats()).values())
      if (!open || !counts) return
      figures.value = figuresOf(before, counts)
      before = counts
    }
    const start = () => {
      look().catch((error: unknown) => console.info('The connection cannot be looked at:', error))
    }
    start()
    const timer = setInterval(start, everyMs)
    return () => {
      open = false
      clearInterval(timer)
    }
  }, [current, figures])
  return (
    <section id="connection" class="figures" aria-label="Connection">
      {figures.value.length === 0 ? (
        <p class="hint">There is no connection yet.</p>
      ) : (
        <dl>
          {figures.value.map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  )
}
