import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { signal } from '@preact/signals'
import * as calls from '../api/calls.ts'
import { relay } from '../live/relay.ts'

export type Session =
  | { state: 'unknown'; error?: PorchlightError }
  | { state: 'out'; error?: PorchlightError }
  | { state: 'in'; user: calls.User }

export const session = signal<Session>({ state: 'unknown' })

function enter(answer: calls.SessionAnswer): void {
  relay.take(answer.relay)
  session.value = { state: 'in', user: answer.user }
}

/** Asks the gateway who we are. Without an answer nothing is known, and `error` says why. */
export async function readSession(): Promise<void> {
  try {
    enter(await calls.getSession())
  } catch (thrown) {
    const error = asPorchlightError(thrown)
    session.value = error.code === 'sign_in_required' ? { state: 'out' } : { state: 'unknown', error }
  }
}

/** Redeems a one-time link. */
export async function signIn(token: string): Promise<void> {
  try {
    enter(await calls.signIn(token))
  } catch (thrown) {
    session.value = { state: 'out', error: asPorchlightError(thrown) }
  }
}

export async function signOut(): Promise<void> {
  await calls.signOut()
  relay.take(undefined)
  session.value = { state: 'out' }
}

/** Call with any error of an API call: a session that has ended shows the sign-in page. */
export function noticeSignedOut(thrown: unknown): void {
  if (thrown instanceof PorchlightError && thrown.code === 'sign_in_required') session.value = { state: 'out' }
}
