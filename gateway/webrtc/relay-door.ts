import { randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import {
  hasZeroTieBreaker,
  isAuthentic,
  readBinding,
  type StunBinding,
  withMappedAddress,
  withTieBreaker,
} from './stun-binding.ts'

export interface RelayDoorOptions {
  /** As the engine's. */
  bindAddress: string
  /** UDP port of the door; 0: any free one. */
  port: number
  /** UDP port of the engine. */
  mediaPort: number
  log: Logger
}

/** Paths of one session through the door: a browser has a relay or two. */
const mostPaths = 4

interface Entrance {
  password: string
  paths: Set<Path>
}

/** From one address of a relay to the engine. */
interface Path {
  client: RemoteInfo
  entrance: Entrance
  tieBreaker: Buffer
  back: Socket
}

/**
 * The way in for browsers whose checks carry the tie-breaker zero, as Chromium's do that come over TURN by TCP or TLS.
 * RFC 8445 §16.1 allows it; libjuice takes it for missing and answers 400 (libjuice issue 355). The door is a UDP port
 * beside the engine's: it lets in who knows a session's ICE password and has that tie-breaker, and nobody else, puts a
 * random one in its place, and seals the check anew. Everything else of that client goes through as it is.
 */
export class RelayDoor implements AsyncDisposable {
  readonly port: number
  readonly #front: Socket
  readonly #target: { address: string; port: number }
  readonly #log: Logger
  /** By the ufrag of our side. */
  readonly #entrances = new Map<string, Entrance>()
  /** By the client's address. */
  readonly #paths = new Map<string, Path>()
  #closed = false

  private constructor(front: Socket, { bindAddress, mediaPort, log }: RelayDoorOptions) {
    const loopback = { '0.0.0.0': '127.0.0.1', '::': '::1' }[bindAddress]
    this.#front = front
    this.port = front.address().port
    this.#target = { address: loopback ?? bindAddress, port: mediaPort }
    this.#log = log
    front.on('message', (bytes, client) => this.#fromClient(bytes, client))
    front.on('error', (error) => log.warn({ err: error }, 'the door for relays'))
  }

  /** @throws PorchlightError `port_in_use`, `config_invalid` where the address is none of this machine's */
  static async open(options: RelayDoorOptions): Promise<RelayDoor> {
    const { bindAddress, port } = options
    const front = socketFor(bindAddress)
    try {
      front.bind(port, bindAddress)
      await once(front, 'listening')
    } catch (cause) {
      front.close()
      const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
      throw new PorchlightError(inUse ? 'port_in_use' : 'config_invalid', `turn ${bindAddress}:${port}/udp`, { cause })
    }
    return new RelayDoor(front, options)
  }

  /**
   * Lets a session's peer in.
   * @param ufrag our side's
   * @param password our side's
   * @returns shuts the door to it. Idempotent
   */
  admit(ufrag: string, password: string): () => void {
    const entrance: Entrance = { password, paths: new Set() }
    this.#entrances.set(ufrag, entrance)
    return () => {
      this.#entrances.delete(ufrag)
      for (const path of entrance.paths) this.#end(path)
    }
  }

  #fromClient(bytes: Buffer, client: RemoteInfo): void {
    const binding = readBinding(bytes)
    const needs = binding?.kind === 'request' && hasZeroTieBreaker(binding) ? binding : undefined
    const known = this.#paths.get(keyOf(client))
    const isKnown = known !== undefined && (!needs || isAuthentic(needs, known.entrance.password))
    // A relay's port may come to somebody else before the session that had it is over.
    const path = isKnown ? known : needs && this.#enter(needs, client)
    if (path === undefined) return
    const mended = needs ? withTieBreaker(needs, path.tieBreaker, path.entrance.password) : bytes
    path.back.send(mended, this.#target.port, this.#target.address)
  }

  #enter(check: StunBinding, client: RemoteInfo): Path | undefined {
    const entrance = this.#entrances.get(check.username?.split(':')[0] ?? '')
    if (!entrance || entrance.paths.size >= mostPaths || !isAuthentic(check, entrance.password)) return undefined
    const path: Path = { client, entrance, tieBreaker: randomBytes(8), back: socketFor(this.#target.address) }
    path.back.on('error', (error) => this.#log.warn({ err: error }, 'a path through the door for relays'))
    path.back.on('message', (bytes, from) => {
      if (from.port === this.#target.port) this.#fromEngine(path, bytes)
    })
    path.back.bind(0, this.#target.address)
    const before = this.#paths.get(keyOf(client))
    if (before) this.#end(before)
    entrance.paths.add(path)
    this.#paths.set(keyOf(client), path)
    return path
  }

  #fromEngine({ client, entrance }: Path, bytes: Buffer): void {
    if (this.#closed) return
    const binding = readBinding(bytes)
    // The engine sees the path's own socket: the browser is to hear of the address that its relay has.
    const sealed = binding?.kind === 'success' && isAuthentic(binding, entrance.password) ? binding : undefined
    this.#front.send(sealed ? withMappedAddress(sealed, client, entrance.password) : bytes, client.port, client.address)
  }

  #end(path: Path): void {
    path.entrance.paths.delete(path)
    if (this.#paths.delete(keyOf(path.client))) path.back.close()
  }

  /** Ends every path. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const path of this.#paths.values()) this.#end(path)
    this.#front.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const socketFor = (address: string) => createSocket(isIPv6(address) ? 'udp6' : 'udp4')

const keyOf = ({ address, port }: { address: string; port: number }) => `${address} ${port}`
