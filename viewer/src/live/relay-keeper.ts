import type { Relay } from '@porchlight/proto/messages/relay.ts'

export interface RelayKeeperDeps {
  /** Asks the gateway for fresh credentials; undefined: it has no relay. */
  ask(): Promise<Relay | undefined>
  /** ms since the Unix epoch: a monotone clock may stand still while a phone sleeps. */
  now(): number
  /** Starts a timer and gives the way to stop it. */
  timer(run: () => void, ms: number): () => void
}

/** When a renewal that failed is tried again, ms. */
const askAgainMs = 30_000

/**
 * Keeps the gateway's TURN server at hand with credentials that are good, because a peer connection is made ahead of the
 * tap and must know it then: it renews them at half of their life.
 */
export class RelayKeeper {
  readonly #deps: RelayKeeperDeps
  #relay: Relay | undefined
  #takenAt = 0
  #asking = false
  #stop: (() => void) | undefined

  constructor(deps: RelayKeeperDeps) {
    this.#deps = deps
  }

  /** Takes what the gateway lends; undefined: nothing (any more). */
  take(relay: Relay | undefined): void {
    this.#relay = relay
    this.#takenAt = this.#deps.now()
    this.#stop?.()
    if (relay) this.#renewIn(relay.seconds * 500)
  }

  /** For a peer connection that is made now. */
  servers(): { urls: string[]; username: string; credential: string }[] {
    if (!this.#relay || this.#ageMs >= this.#relay.seconds * 1000) return []
    const { urls, username, credential } = this.#relay
    return [{ urls, username, credential }]
  }

  /** The page is looked at again: its timers may have slept. */
  wake(): void {
    if (this.#relay && this.#ageMs >= this.#relay.seconds * 500) this.#renew()
  }

  get #ageMs(): number {
    return this.#deps.now() - this.#takenAt
  }

  #renewIn(ms: number): void {
    this.#stop?.()
    this.#stop = this.#deps.timer(() => this.#renew(), ms)
  }

  #renew(): void {
    if (this.#asking) return
    this.#asking = true
    const before = this.#relay
    this.#deps.ask().then(
      (relay) => {
        this.#asking = false
        if (this.#relay === before) this.take(relay)
      },
      (error: unknown) => {
        this.#asking = false
        console.info('The credentials of the relay could not be renewed:', error)
        if (this.#relay === before) this.#renewIn(askAgainMs)
      },
    )
  }
}
