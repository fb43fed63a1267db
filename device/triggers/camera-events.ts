import type { EventKind } from '@porchlight/proto/messages/event.ts'
import { newId } from '../identity/ids.ts'
import { decide, type EventInput, type EventLimits, nextTick, noEvents } from './event-policy.ts'

/** One turn of one event. */
export interface EventTurn {
  eventId: string
  kind: EventKind
  phase: 'begin' | 'active' | 'end'
  /** Device clock, ms since the Unix epoch. */
  at: number
}

/** The open events of one camera with their ids and their clock. */
export class CameraEvents {
  readonly #limits: EventLimits
  readonly #now: () => number
  readonly #tell: (turn: EventTurn) => void
  readonly #ids = new Map<EventKind, string>()
  #state = noEvents
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param tell must not throw */
  constructor(options: { limits: EventLimits; now: () => number; tell: (turn: EventTurn) => void }) {
    this.#limits = options.limits
    this.#now = options.now
    this.#tell = options.tell
  }

  /** Whether something goes on. */
  get open(): boolean {
    return this.#ids.size > 0
  }

  put(input: EventInput): void {
    if (this.#closed) return
    const { state, tell } = decide(this.#state, input, this.#limits)
    this.#state = state
    for (const { kind, phase, at } of tell) {
      const eventId = phase === 'begin' ? newId() : (this.#ids.get(kind) ?? newId())
      if (phase === 'begin') this.#ids.set(kind, eventId)
      if (phase === 'end') this.#ids.delete(kind)
      this.#tell({ eventId, kind, phase, at })
    }
    this.#schedule()
  }

  /** Ends what is open, as of now. Idempotent. */
  close(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    for (const [kind, eventId] of this.#ids) this.#tell({ eventId, kind, phase: 'end', at: this.#now() })
    this.#ids.clear()
    this.#closed = true
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const next = nextTick(this.#state, this.#limits)
    if (next === undefined) return
    this.#timer = setTimeout(() => this.put({ type: 'tick', at: this.#now() }), Math.max(1, next - this.#now()))
  }
}
