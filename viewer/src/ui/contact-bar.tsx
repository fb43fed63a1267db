import { tryNow } from '../notices/contact-keeper.ts'
import { contact } from '../state/contact.ts'
import { now } from '../state/time.ts'

/** Says that the gateway is not heard, and what is done about it. */
export function ContactBar() {
  const state = contact.value
  if (state.ok) return null
  const wait = state.retryAt === undefined ? 0 : Math.ceil((state.retryAt - now.value) / 1_000)
  return (
    <div class="contact" role="status" aria-label="Connection">
      <span>No contact with the gateway. {wait > 0 ? `Trying again in ${wait} s.` : 'Connecting again…'}</span>
      {wait > 0 && (
        <button type="button" class="quiet" onClick={tryNow}>
          Try now
        </button>
      )}
    </div>
  )
}
