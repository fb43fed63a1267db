import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { type ConnectionCounts, countsOf, figuresOf } from './connection-figures.ts'
import type { WhepSession } from './whep-client.ts'

const everyMs = 1_000

/** How this phone's own connection fares, looked at once a second. */
export function ConnectionPanel({ session }: { session: WhepSession | undefined }) {
  const figures = useSignal<ReturnType<typeof figuresOf>>([])
  useEffect(() => {
    figures.value = []
    if (!session) return
    let before: ConnectionCounts | undefined
    let open = true
    const look = async () => {
      const counts = countsOf((await session.stats()).values())
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
  }, [session, figures])
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
