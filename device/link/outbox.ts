import type { Event } from '@porchlight/proto/messages/event.ts'

/** An event that has to wait, as it is kept over a restart. */
export interface KeptEvent {
  event: Event
  /** So long it has waited, ms. */
  ageMs: number
}

interface Entry {
  event: Event
  /** When it was put in, ms of a clock that never steps. */
  since: number
  /** Given to the broker, not yet acknowledged. */
  sending: boolean
}

export interface OutboxLimits {
  events: number
  ageMs: number
}

/**
 * Events that the broker has not acknowledged, in order. Bounded in number and age: the oldest goes first and
 * is counted. An event that had to wait loses its offer (nobody answers a dead one), and signs of life (`active`) do not
 * wait at all.
 */
export class Outbox {
  readonly #limits: OutboxLimits
  #entries: Entry[] = []
  /** Events given up for want of room or for age. */
  dropped = 0

  constructor(limits: OutboxLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.length
  }

  /** What a restart must not lose: without offers and signs of life. */
  kept(now: number): KeptEvent[] {
    return this.#entries.flatMap(({ event, since }) => {
      const { offer: _, ...plain } = event
      return event.phase === 'active' ? [] : [{ event: plain, ageMs: now - since }]
    })
  }

  /** Events of an earlier run go ahead of all others. @param now ms */
  restore(events: readonly KeptEvent[], now: number): void {
    const restored = events.map(({ event, ageMs }) => ({ event, since: now - ageMs, sending: false }))
    this.#entries = [...restored, ...this.#entries].slice(-this.#limits.events)
    this.#expire(now)
  }

  /** @param now ms */
  add(event: Event, now: number): void {
    this.#expire(now)
    if (this.#entries.length >= this.#limits.events) {
      this.#entries.shift()
      this.dropped += 1
    }
    this.#entries.push({ event, since: now, sending: false })
  }

  /** What has to be published now, in order; each is then under way until `acknowledged` or `interrupted`. */
  take(now: number): Event[] {
    this.#expire(now)
    const events: Event[] = []
    for (const entry of this.#entries) {
      if (entry.sending) continue
      entry.sending = true
      events.push(entry.event)
    }
    return events
  }

  /** The broker has it. */
  acknowledged(id: string): void {
    this.#entries = this.#entries.filter((entry) => entry.event.id !== id)
  }

  /** The connection is gone: what was under way waits for the next one, under the same id (the gateway drops repeats). */
  interrupted(): void {
    this.#entries = this.#entries.filter((entry) => entry.event.phase !== 'active')
    for (const entry of this.#entries) {
      entry.sending = false
      const { offer: _, ...event } = entry.event
      entry.event = event
    }
  }

  #expire(now: number): void {
    const keep = this.#entries.filter((entry) => now - entry.since <= this.#limits.ageMs)
    this.dropped += this.#entries.length - keep.length
    this.#entries = keep
  }
}
