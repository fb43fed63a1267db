import { PorchlightError } from '@porchlight/proto/errors.ts'

/** How long the floor is held without being renewed, ms. */
export const defaultLeaseMs = 5_000

export interface FloorHolder {
  session: string
  /** What people call the speaker. */
  name: string
  /** End of the lease, on the clock of `now`. */
  until: number
}

/** Who may talk at one camera: one at a time, by a lease that the speaker renews. */
export class Floor {
  readonly #now: () => number
  readonly leaseMs: number
  #holder: FloorHolder | undefined

  constructor(now: () => number, leaseMs: number = defaultLeaseMs) {
    this.#now = now
    this.leaseMs = leaseMs
  }

  /** Who holds the floor at this moment. */
  get holder(): FloorHolder | undefined {
    if (this.#holder && this.#holder.until <= this.#now()) this.#holder = undefined
    return this.#holder
  }

  /** Takes the floor, or renews the lease. @throws PorchlightError `floor_taken` with the holder's name as detail */
  take(session: string, name: string): FloorHolder {
    const holder = this.holder
    if (holder && holder.session !== session) throw new PorchlightError('floor_taken', holder.name)
    this.#holder = { session, name, until: this.#now() + this.leaseMs }
    return this.#holder
  }

  /** @returns whether the session held the floor */
  release(session: string): boolean {
    if (this.holder?.session !== session) return false
    this.#holder = undefined
    return true
  }

  holds(session: string): boolean {
    return this.holder?.session === session
  }
}
