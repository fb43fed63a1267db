import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'

/** A component whose code is fetched when it is first shown. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined
  return function Lazy(props: Props) {
    const state = useSignal<'loading' | 'ready' | 'failed'>(loaded ? 'ready' : 'loading')
    useEffect(() => {
      if (loaded) return
      load().then(
        (component) => {
          loaded = component
          state.value = 'ready'
        },
        (error: unknown) => {
          console.warn('A part of the page could not be loaded:', error)
          state.value = 'failed'
        },
      )
    }, [state])
    const Component = loaded
    if (state.value === 'ready' && Component) return <Component {...props} />
    return (
      <main class="page">
        {state.value === 'failed' ? (
          <p class="problem" role="alert">
            This page could not be loaded. <a href="/">Load Porchlight again</a>
          </p>
        ) : (
          <div class="empty" role="status" aria-label="Loading">
            <span class="spinner" aria-hidden="true" />
          </div>
        )}
      </main>
    )
  }
}
