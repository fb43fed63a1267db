/**
 * The states of one WebRTC session of the gateway, as one pure table. A device's session goes live when both the transport
 * stands and the device has proven that it meant our answer; a viewer's is proven from the beginning (its HTTP request was).
 *
 * ```
 * answering ─answered→ waiting ─proven→ unconnected ─connected→ live ⇄ interrupted
 *                         └─connected→ unproven ─proven→ live
 * ```
 * Every state but `live` has a deadline, and from every state `end` leads to `ended`.
 */
export type SessionState = 'answering' | 'waiting' | 'unconnected' | 'unproven' | 'live' | 'interrupted' | 'ended'

export type SessionEvent = 'answered' | 'proven' | 'connected' | 'lost' | 'end'

const table: Readonly<Record<SessionState, Partial<Record<SessionEvent, SessionState>>>> = {
  answering: { answered: 'waiting', end: 'ended' },
  waiting: { proven: 'unconnected', connected: 'unproven', end: 'ended' },
  unconnected: { connected: 'live', end: 'ended' },
  unproven: { proven: 'live', lost: 'waiting', end: 'ended' },
  live: { lost: 'interrupted', end: 'ended' },
  interrupted: { connected: 'live', end: 'ended' },
  ended: {},
}

/** The state after an event; the same state where the event has no meaning there. */
export function nextState(state: SessionState, event: SessionEvent): SessionState {
  return table[state][event] ?? state
}

/** How long a session may stay in a state, ms; undefined: as long as it likes. */
export const sessionDeadlines: Readonly<Record<SessionState, number | undefined>> = {
  answering: 5_000,
  waiting: 15_000,
  unconnected: 15_000,
  unproven: 10_000,
  live: undefined,
  interrupted: 10_000,
  ended: undefined,
}

export interface Timers {
  set(callback: () => void, ms: number): () => void
}

/** Timers of the process; they do not keep it alive. */
export const systemTimers: Timers = {
  set(callback, ms) {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Walks one session through the table and watches its deadlines. */
export class SessionMachine {
  readonly #timers: Timers
  readonly #entered: (state: SessionState) => void
  readonly #expired: (state: SessionState) => void
  #state: SessionState = 'answering'
  #stop: (() => void) | undefined

  /**
   * @param entered called after each change
   * @param expired called when the deadline of a state has passed; the owner then ends the session
   */
  constructor(entered: (state: SessionState) => void, expired: (state: SessionState) => void, timers = systemTimers) {
    this.#entered = entered
    this.#expired = expired
    this.#timers = timers
    this.#watch()
  }

  get state(): SessionState {
    return this.#state
  }

  /** @returns whether the state changed */
  event(event: SessionEvent): boolean {
    const next = nextState(this.#state, event)
    if (next === this.#state) return false
    this.#state = next
    this.#watch()
    this.#entered(next)
    return true
  }

  #watch(): void {
    this.#stop?.()
    const state = this.#state
    const deadline = sessionDeadlines[state]
    this.#stop = deadline === undefined ? undefined : this.#timers.set(() => this.#expired(state), deadline)
  }
}
