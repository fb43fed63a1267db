import type { Relay } from '@porchlight/proto/messages/relay.ts'

/** STUN and TURN servers for the next session: those of our own configuration, and the one that the gateway lends us. */
export class IceServers {
  readonly #configured: readonly string[]
  readonly #now: () => number
  #lent: { urls: readonly string[]; until: number } | undefined

  /**
   * @param configured as in {@link SessionOptions.iceServers} of engine.ts
   * @param now ms, monotone
   */
  constructor(configured: readonly string[], now: () => number) {
    this.#configured = configured
    this.#now = now
  }

  /** The gateway lends its TURN server; what it lent before is forgotten. */
  lend({ urls, username, credential, seconds }: Relay): void {
    // The user name has a colon, and base64 has slashes.
    const account = `${encodeURIComponent(username)}:${encodeURIComponent(credential)}`
    this.#lent = {
      urls: urls.map((url) => url.replace(':', `:${account}@`)),
      until: this.#now() + seconds * 1000,
    }
  }

  list(): readonly string[] {
    const { urls, until } = this.#lent ?? { urls: [], until: 0 }
    return this.#now() < until ? [...this.#configured, ...urls] : this.#configured
  }
}
