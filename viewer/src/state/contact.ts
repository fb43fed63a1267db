import { signal } from '@preact/signals'

/** Whether this page hears the gateway's notices, and if not, what it does about it. */
export type Contact =
  | { ok: true }
  | {
      ok: false
      /** Next attempt, ms since the Unix epoch; absent while one runs. */
      retryAt?: number
    }

export const contact = signal<Contact>({ ok: true })
