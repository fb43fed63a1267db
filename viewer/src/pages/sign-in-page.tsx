import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { sentenceOf } from '../api/request.ts'
import { hrefOf, tokenIn } from '../route.ts'
import { session, signIn } from '../state/session.ts'
import { Lamp } from '../ui/icons.tsx'

/** Signs in by the one-time link, opened or pasted. */
export function SignInPage({ token }: { token: string | undefined }) {
  const busy = useSignal(token !== undefined)
  const pasted = useSignal('')
  const redeem = async (value: string) => {
    busy.value = true
    // The token is used up by this: it must not stay in the address or the history.
    history.replaceState(null, '', hrefOf({ page: 'cameras' }))
    await signIn(value)
    busy.value = false
    // replaceState tells nobody: this makes the router read the address again.
    dispatchEvent(new HashChangeEvent('hashchange'))
  }
  useEffect(() => {
    if (token !== undefined) void redeem(token)
  }, [token])
  const found = tokenIn(pasted.value)
  const error = session.value.state === 'out' ? session.value.error : undefined
  return (
    <main class="page sign-in">
      <Lamp />
      <h1>Porchlight</h1>
      {busy.value ? (
        <p role="status">
          <span class="spinner" aria-hidden="true" /> Signing in…
        </p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (found !== undefined) void redeem(found)
          }}
        >
          {error && (
            <p class="problem" role="alert">
              {sentenceOf(error)}
            </p>
          )}
          <p>
            Open the sign-in link that the gateway printed, or paste it here. <code>gateway link</code> prints a new
            one.
          </p>
          <label>
            <span>Sign-in link</span>
            <input
              type="text"
              inputMode="url"
              autoComplete="off"
              autoCapitalize="off"
              spellcheck={false}
              value={pasted.value}
              onInput={(event) => {
                pasted.value = event.currentTarget.value
              }}
            />
          </label>
          <button type="submit" class="main" disabled={found === undefined}>
            Sign in
          </button>
        </form>
      )}
    </main>
  )
}
