import { randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type Binding, isAuthentic, readBinding } from '@porchlight/proto/net/stun.ts'
import type { Logger } from 'pino'
import { CheckMemory } from './check-memory.ts'
import { hasZeroTieBreaker, withMappedAddress, withTieBreaker } from './door-binding.ts'

export interface RelayDoorOptions {
  /** As the engine's. */
  bindAddress: string
  /** UDP port of the door; 0: any free one. */
  port: number
  /** UDP port of the engine. */
  mediaPort: number
  /** ms, monotone. */
  now: () => number
  log: Logger
}

/** Paths of one session through the door: a browser has a relay or two. */
const mostPaths = 4
/** A path is over when its client has made no new check for so long, ms: consent lasts no longer (RFC 7675 §5.1). */
const consentMs = 30_000
/**
 * Nobody else's check takes a client's address from it for so long after a check of its own, ms: who forges source addresses
 * could cut a session off. Chromium checks the way it uses every 2.5 s.
 */
const holdMs = 10_000

interface Entrance {
  password: string
  paths: Set<Path>
  checks: CheckMemory
}

/** From one address of a relay to the engine. */
interface Path {
  client: RemoteInfo
  entrance: Entrance
  tieBreaker: Buffer
  back: Socket
  /** When the client made its last new check. */
  checkedAt: number
}

/**
 * The way in for browsers whose checks carry the tie-breaker zero, as Chromium's do that come over TURN by TCP or TLS.
 * RFC 8445 §16.1 allows it; libjuice takes it for missing and answers 400 (libjuice issue 355). The door is a UDP port
 * beside the engine's: it lets in who knows a session's ICE password and has that tie-breaker, and nobody else, puts a
 * random one in its place, and seals the check anew. DTLS, SRTP, answers and valid checks of that client, for that session,
 * go through as they are; nothing else does.
 */
export class RelayDoor implements AsyncDisposable {
  readonly port: number
  readonly #front: Socket
  readonly #target: { address: string; port: number }
  readonly #now: () => number
  readonly #log: Logger
  /** By the ufrag of our side. */
  readonly #entrances = new Map<string, Entrance>()
  /** By the client's address. */
  readonly #paths = new Map<string, Path>()
  #closed = false

  private constructor(front: Socket, { bindAddress, mediaPort, now, log }: RelayDoorOptions) {
    const loopback = { '0.0.0.0': '127.0.0.1', '::': '::1' }[bindAddress]
    const { address, port } = front.address()
    this.#front = front
    this.port = port
    // As the system writes the address, so that a sender's can be compared with it.
    this.#target = { address: loopback ?? address, port: mediaPort }
    this.#now = now
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
    const entrance: Entrance = { password, paths: new Set(), checks: new CheckMemory() }
    this.#entrances.set(ufrag, entrance)
    return () => {
      this.#entrances.delete(ufrag)
      for (const path of entrance.paths) this.#end(path)
    }
  }

  #fromClient(bytes: Buffer, client: RemoteInfo): void {
    // From port 0 anybody may send; to it nothing can be sent, and Node throws.
    if (bytes.length === 0 || client.port === 0) return
    const held = this.#paths.get(keyOf(client))
    const path = held && this.#isAlive(held) ? held : undefined
    // RFC 7983 §7
    const first = bytes[0]!
    if (first > 3) {
      if (path && ((first >= 20 && first <= 63) || (first >= 128 && first <= 191))) this.#toEngine(path, bytes)
      return
    }
    const binding = readBinding(bytes)
    if (binding?.kind === 'request') this.#check(binding, client, path)
    // The engine knows its own checks. Indications it would believe unsigned.
    else if (path && (binding?.kind === 'success' || binding?.kind === 'error')) this.#toEngine(path, bytes)
  }

  #check(check: Binding, client: RemoteInfo, held: Path | undefined): void {
    const entrance = this.#entrances.get(check.username?.split(':')[0] ?? '')
    if (!entrance || !isAuthentic(check, entrance.password)) return
    const isNew = entrance.checks.isNew(check.bytes)
    const needs = hasZeroTieBreaker(check)
    const known = held?.entrance === entrance ? held : undefined
    const path = known ?? (needs && isNew ? this.#enter(entrance, client, held) : undefined)
    if (path === undefined) return
    if (isNew) path.checkedAt = this.#now()
    this.#toEngine(path, needs ? withTieBreaker(check, path.tieBreaker, entrance.password) : check.bytes)
  }

  /** @param before whose the client's address is */
  #enter(entrance: Entrance, client: RemoteInfo, before: Path | undefined): Path | undefined {
    // A relay's port may come to somebody else before the session that had it is over.
    if (before && this.#now() - before.checkedAt < holdMs) return undefined
    for (const path of entrance.paths) this.#isAlive(path)
    if (entrance.paths.size >= mostPaths) return undefined
    if (before) this.#end(before)
    const back = socketFor(this.#target.address)
    const path: Path = { client, entrance, tieBreaker: randomBytes(8), back, checkedAt: this.#now() }
    back.on('error', (error) => {
      this.#log.warn({ err: error }, 'a path through the door for relays')
      this.#end(path)
    })
    back.on('message', (bytes, { address, port }) => {
      if (address === this.#target.address && port === this.#target.port) this.#fromEngine(path, bytes)
    })
    back.bind(0, this.#target.address)
    entrance.paths.add(path)
    this.#paths.set(keyOf(client), path)
    return path
  }

  #toEngine({ back }: Path, bytes: Buffer): void {
    back.send(bytes, this.#target.port, this.#target.address, this.#sent)
  }

  #fromEngine(path: Path, bytes: Buffer): void {
    if (this.#closed || !this.#isAlive(path)) return
    const { client, entrance } = path
    const binding = readBinding(bytes)
    // The engine sees the path's own socket: the browser is to hear of the address that its relay has.
    const sealed = binding?.kind === 'success' && isAuthentic(binding, entrance.password) ? binding : undefined
    const mended = sealed ? withMappedAddress(sealed, client, entrance.password) : bytes
    this.#front.send(mended, client.port, client.address, this.#sent)
  }

  /** What cannot be sent is lost, as on the way. */
  readonly #sent = (error: Error | null): void => {
    if (error) this.#log.debug({ err: error }, 'datagram not sent through the door for relays')
  }

  /** Ends a path whose client has gone quiet. */
  #isAlive(path: Path): boolean {
    const alive = this.#now() - path.checkedAt < consentMs
    if (!alive) this.#end(path)
    return alive
  }

  /** Idempotent. */
  #end(path: Path): void {
    if (!path.entrance.paths.delete(path)) return
    this.#paths.delete(keyOf(path.client))
    path.back.close()
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
