import type { Refusal } from './packet-scanner.ts'

export interface ConnectionBounds {
  /** Connections of all kinds. */
  total: number
  /** Connections that have not shown a credential yet, in all and per address. */
  pending: number
  pendingPerAddress: number
}

export const defaultBounds: ConnectionBounds = { total: 1_024, pending: 128, pendingPerAddress: 32 }

/** A place among the connections. Both calls are idempotent. */
export interface Place {
  /** The credential was good: does not count as pending any more. */
  admit(): void
  leave(): void
}

/** Counts connections, so that strangers can neither fill memory nor shut devices out. */
export class ConnectionLimits {
  readonly #bounds: ConnectionBounds
  readonly #pending = new Map<string, number>()
  #total = 0
  #pendingTotal = 0

  constructor(bounds: ConnectionBounds = defaultBounds) {
    this.#bounds = bounds
  }

  /** Takes a place, or says why there is none. */
  enter(address: string): Place | Refusal {
    const here = this.#pending.get(address) ?? 0
    if (this.#total >= this.#bounds.total || this.#pendingTotal >= this.#bounds.pending) return 'total'
    if (here >= this.#bounds.pendingPerAddress) return 'address'
    this.#total += 1
    this.#pendingTotal += 1
    this.#pending.set(address, here + 1)
    let pending = true
    let present = true
    const admit = () => {
      if (!pending) return
      pending = false
      this.#pendingTotal -= 1
      const left = (this.#pending.get(address) ?? 1) - 1
      if (left === 0) this.#pending.delete(address)
      else this.#pending.set(address, left)
    }
    const leave = () => {
      if (!present) return
      present = false
      admit()
      this.#total -= 1
    }
    return { admit, leave }
  }
}
