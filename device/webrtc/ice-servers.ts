import type { Relay } from '@porchlight/proto/messages/relay.ts'
import type { Logger } from 'pino'
import { TurnBridge } from './turn-bridge.ts'

export interface IceServersOptions {
  /** As in `SessionOptions.iceServers` of engine.ts. */
  configured: readonly string[]
  /** ms, monotone. */
  now: () => number
  log: Logger
}

/**
 * STUN and TURN servers for the next session: those of our own configuration, and the one that the gateway lends us. What
 * it lends by TCP or TLS is bridged, so that an engine needs TURN over UDP only.
 */
export class IceServers implements AsyncDisposable {
  readonly #options: IceServersOptions
  /** By the address as lent. */
  readonly #bridges = new Map<string, Promise<TurnBridge>>()
  #lent: { urls: readonly string[]; until: number } | undefined

  constructor(options: IceServersOptions) {
    this.#options = options
  }

  /** The gateway lends its TURN server; what it lent before is forgotten. Resolves when it can be used. */
  async lend({ urls, username, credential, seconds }: Relay): Promise<void> {
    const until = this.#options.now() + seconds * 1000
    // The user name has a colon, and base64 has slashes.
    const account = `${encodeURIComponent(username)}:${encodeURIComponent(credential)}`
    for (const [url, bridge] of this.#bridges) if (!urls.includes(url)) this.#forget(url, bridge)
    const reached = await Promise.all(urls.map((url) => this.#reach(url)))
    this.#lent = { urls: reached.filter((at) => at !== undefined).map((at) => `turn:${account}@${at}`), until }
  }

  /** Host and port by UDP; undefined for TURN over DTLS, which is not spoken. */
  async #reach(url: string): Promise<string | undefined> {
    const [, scheme, host, given, transport] = /^(turns?):(\[.+\]|[^:?]+)(?::(\d+))?(?:\?transport=(\w+))?$/.exec(url)!
    const tls = scheme === 'turns'
    const port = given ?? (tls ? '5349' : '3478')
    if (tls && transport === 'udp') return undefined
    if (!tls && transport !== 'tcp') return `${host}:${port}?transport=udp`
    const bare = host!.replaceAll(/[[\]]/g, '')
    const bridge = this.#bridges.get(url) ?? TurnBridge.open({ host: bare, port: Number(port), tls }, this.#options.log)
    this.#bridges.set(url, bridge)
    return `127.0.0.1:${(await bridge).port}?transport=udp`
  }

  #forget(url: string, bridge: Promise<TurnBridge>): void {
    this.#bridges.delete(url)
    bridge
      .then((open) => open.close())
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'TURN bridge not closed'))
  }

  /** Ends the bridges. Idempotent. */
  async close(): Promise<void> {
    this.#lent = undefined
    for (const [url, bridge] of this.#bridges) this.#forget(url, bridge)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  list(): readonly string[] {
    const { configured, now } = this.#options
    return this.#lent && now() < this.#lent.until ? [...configured, ...this.#lent.urls] : configured
  }
}
