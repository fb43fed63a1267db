import { type ErrorCode, errors } from '@porchlight/proto/errors.ts'
import { useSignal } from '@preact/signals'
import { sentenceOf } from '../api/request.ts'
import { type PushState, pushState, switchPushOff, switchPushOn } from '../push/push.ts'
import { session, signOut } from '../state/session.ts'
import { MicrophonePicker } from '../talk/microphone-picker.tsx'

const why: Partial<Record<PushState, ErrorCode>> = {
  denied: 'notifications_denied',
  unsupported: 'notifications_unsupported',
  insecure: 'page_insecure',
}

export function SettingsPage() {
  const problem = useSignal<string | undefined>(undefined)
  const busy = useSignal(false)
  const act = (doing: () => Promise<void>) => {
    problem.value = undefined
    busy.value = true
    doing()
      .catch((error: unknown) => {
        problem.value = sentenceOf(error)
      })
      .finally(() => {
        busy.value = false
      })
  }
  const state = pushState.value
  const blocked = why[state]
  const user = session.value.state === 'in' ? session.value.user : undefined
  return (
    <main class="page">
      <header class="bar">
        <h1>Settings</h1>
      </header>
      <section class="card setting" aria-label="Notifications">
        <div>
          <h2>Notifications</h2>
          <p class="hint" id="push-said">
            {blocked
              ? errors[blocked].sentence
              : 'Tell this phone when somebody rings or moves, even when this page is closed.'}
          </p>
        </div>
        <button
          type="button"
          role="switch"
          class="switch"
          aria-label="Notifications on this phone"
          aria-describedby="push-said"
          aria-checked={state === 'on'}
          disabled={busy.value || blocked !== undefined || state === 'unknown'}
          onClick={() => act(state === 'on' ? switchPushOff : switchPushOn)}
        />
      </section>
      <section class="card" aria-label="Talk">
        <h2>Talk</h2>
        <MicrophonePicker />
      </section>
      <section class="card setting" aria-label="Account">
        <div>
          <h2>{user?.name ?? 'Account'}</h2>
          <p class="hint">{user?.role}</p>
        </div>
        <button type="button" class="quiet" disabled={busy.value} onClick={() => act(signOut)}>
          Sign out
        </button>
      </section>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </main>
  )
}
