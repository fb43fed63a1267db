import { randomBytes } from 'node:crypto'
import { isIP, SocketAddress } from 'node:net'
import { type Binding, isAuthentic, readBinding } from '@porchlight/proto/net/stun.ts'
import type { Logger } from 'pino'
import { Candidate, CandidatePairState, type Connection, type Protocol } from 'werift'
import { IceGathering } from './ice-gathering.ts'
import type { Address } from './ice-socket.ts'
import { forgetChecks, openConnection } from './werift-ice.ts'

export interface IceAgentOptions {
  iceServers: readonly string[]
  bindAddress: string | undefined
  log: Logger
  /** A local candidate, `candidate:…`. */
  candidate(text: string): void
  /** A datagram that is not STUN, from an address that has answered a check of ours. */
  data(bytes: Buffer): void
  /** No way to the peer, or none any more. */
  failed(): void
}

export interface RemoteIce {
  ufrag: string
  password: string
  lite: boolean
}

/** The peer's candidates, told or seen. */
const maxRemote = 32
/** Datagrams from an address that has made a valid check, until a check of ours has come back from there. */
const maxHeld = 8
/** Transaction ids that werift may keep of a pair. */
const maxChecksKept = 256

/**
 * werift's ICE agent (RFC 8445, we control) behind a guard. Nothing reaches it that does not bear the user name and a
 * valid MESSAGE-INTEGRITY; once a pair is chosen, nothing from an address that is not among the checked ones.
 */
export class IceAgent {
  readonly ufrag = randomBytes(6).toString('base64')
  readonly password = randomBytes(18).toString('base64')
  readonly #options: IceAgentOptions
  readonly #connection: Connection
  readonly #gathering: IceGathering
  #remote: RemoteIce | undefined
  #held: { protocol: Protocol; from: Address; bytes: Buffer }[] = []
  #closed = false

  constructor(options: IceAgentOptions) {
    this.#options = options
    this.#connection = openConnection(this.ufrag, this.password)
    this.#gathering = new IceGathering({
      connection: this.#connection,
      iceServers: options.iceServers,
      bindAddress: options.bindAddress,
      log: options.log,
      candidate: options.candidate,
      receive: (protocol, bytes, from, pass) => this.#receive(protocol, bytes, from, pass),
    })
    this.#connection.stateChanged.subscribe((state) => {
      if (state === 'failed') this.#fail()
    })
  }

  /** Opens sockets; servers are asked from then on. Resolves when the sockets are there. @throws Error where none is */
  gather(): Promise<void> {
    return this.#gathering.start()
  }

  /** Begins with the checks. */
  start(remote: RemoteIce): void {
    this.#remote = remote
    const { ufrag: usernameFragment, password, lite: iceLite } = remote
    this.#connection.setRemoteParams({ usernameFragment, password, iceLite })
    this.#connection.connect().catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'ICE')
      this.#fail()
    })
  }

  /** Names are not asked for (`.local` would be asked of the whole network), TCP is not spoken. */
  addCandidate(text: string): void {
    const match = /^(?:a=)?candidate:(\S{1,32}) 1 udp (\d{1,10}) (\S{2,45}) (\d{1,5}) typ (host|srflx|relay)\b/i.exec(
      text,
    )
    if (match === null || this.#closed || this.#connection.remoteCandidates.length >= maxRemote) return
    const [, foundation, priority, host, port, type] = match
    const family = isIP(host!)
    if (family === 0 || Number(port) < 1 || Number(port) > 65_535) return
    // As the socket will write it.
    const address = family === 6 ? new SocketAddress({ address: host!, family: 'ipv6' }).address : host!
    const candidate = new Candidate(foundation!, 1, 'udp', Number(priority), address, Number(port), type!.toLowerCase())
    this.#connection.addRemoteCandidate(candidate).catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'candidate ignored')
    })
  }

  /** To the chosen pair; nowhere before there is one, or when the peer has not consented for 30 s (RFC 7675). */
  send(bytes: Buffer): void {
    if (this.#closed) return
    this.#connection.send(bytes).catch((error: unknown) => this.#options.log.debug({ err: error }, 'datagram not sent'))
  }

  /** Of the last check, ms. */
  get roundTripMs(): number | undefined {
    const seconds = this.#connection.nominated?.rtt
    return seconds === undefined ? undefined : seconds * 1000
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#held = []
    this.#gathering
      .close()
      .then(() => this.#connection.close())
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'ICE did not close'))
  }

  #receive(protocol: Protocol, bytes: Buffer, from: Address, pass: () => void): void {
    if (this.#closed || bytes.length === 0) return
    // RFC 7983 §7
    if (bytes[0]! < 4) this.#stun(protocol, bytes, from, pass)
    else if (this.#isChecked(protocol, from)) this.#options.data(bytes)
    else if (this.#held.length < maxHeld && this.#pairOf(protocol, from)) this.#held.push({ protocol, from, bytes })
  }

  #stun(protocol: Protocol, bytes: Buffer, from: Address, pass: () => void): void {
    const binding = readBinding(bytes)
    if (binding === undefined || binding.kind === 'indication') return
    // werift takes a response for a transaction of its own alone, from the address it asked, with the peer's integrity.
    const isResponse = binding.kind !== 'request'
    if (!isResponse && !this.#mayCheck(protocol, binding, from)) return
    pass()
    if (isResponse) this.#release()
  }

  #mayCheck(protocol: Protocol, check: Binding, from: Address): boolean {
    if (this.#remote === undefined) return false
    const pair = this.#pairOf(protocol, from)
    if (pair === undefined) {
      const full = this.#connection.remoteCandidates.length >= maxRemote
      if (this.#connection.nominated || full) return false
    } else if (pair.requestsReceived % maxChecksKept === 0) forgetChecks(pair)
    return check.username === `${this.ufrag}:${this.#remote.ufrag}` && isAuthentic(check, this.password)
  }

  /** Delivered once the address they came from has answered a check: the answer may have been overtaken. */
  #release(): void {
    if (this.#held.length === 0) return
    // werift takes note of an answer a few microtasks later.
    setImmediate(() => {
      const held = this.#held
      this.#held = held.filter(({ protocol, from }) => !this.#isChecked(protocol, from))
      for (const { protocol, from, bytes } of held) {
        if (!this.#closed && this.#isChecked(protocol, from)) this.#options.data(bytes)
      }
    })
  }

  #pairOf(protocol: Protocol, [host, port]: Address) {
    const { nominated, checkList } = this.#connection
    const fits = (pair: typeof nominated) =>
      pair?.protocol === protocol && pair.remoteCandidate.port === port && pair.remoteCandidate.host === host
    return fits(nominated) ? nominated : checkList.find(fits)
  }

  #isChecked(protocol: Protocol, from: Address): boolean {
    return this.#pairOf(protocol, from)?.state === CandidatePairState.SUCCEEDED
  }

  #fail(): void {
    if (!this.#closed) this.#options.failed()
  }
}
