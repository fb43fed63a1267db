import { isIPv4 } from 'node:net'
import type { Logger } from 'pino'
import {
  Candidate,
  type Connection,
  candidateFoundation,
  candidatePriority,
  classes,
  Message,
  methods,
  type Protocol,
  StunOverTurnProtocol,
  StunProtocol,
  TurnProtocol,
  type UdpTransport,
} from 'werift'
import { resolve, type StunServer, type TurnServer, usableServers } from './ice-servers.ts'
import { type Address, IceSocket } from './ice-socket.ts'
import { localAddresses } from './local-addresses.ts'
import { addProtocol, guardRelay, stunOf } from './werift-ice.ts'

export interface IceGatheringOptions {
  connection: Connection
  iceServers: readonly string[]
  bindAddress: string | undefined
  log: Logger
  candidate(text: string): void
  /** All that comes; `pass` gives it to werift. */
  receive(protocol: Protocol, bytes: Buffer, from: Address, pass: () => void): void
}

/** Life of a relayed address between two refreshes, s (RFC 8656 §7.2: werift renews it earlier). */
const allocationSeconds = 600

/** An answer to the giving back is waited for, ms. */
const giveBackMs = 1_000

/** The sockets of one session, and what servers say of them: host, server-reflexive and relayed candidates (RFC 8445 §5.1). */
export class IceGathering {
  readonly #options: IceGatheringOptions
  readonly #sockets: IceSocket[] = []
  readonly #relays: TurnProtocol[] = []
  #closed = false

  constructor(options: IceGatheringOptions) {
    this.#options = options
  }

  /** @throws Error where no socket can be opened */
  async start(): Promise<void> {
    const { connection, bindAddress, iceServers, log } = this.#options
    const opened = await Promise.allSettled(
      localAddresses(bindAddress).map((address, order) => this.#openHost(address, order)),
    )
    const hosts = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = opened.find((result) => result.status === 'rejected')
    if (failed) log.debug({ err: failed.reason }, 'no ICE socket on an address')
    if (hosts.length === 0) throw failed?.reason ?? new Error('no address')
    await connection.gatherCandidates() // nothing to gather for it: but it must have been asked
    const servers = usableServers(iceServers)
    if (servers.length < iceServers.length) {
      log.warn({ given: iceServers.length, used: servers.length }, 'werift asks four ICE servers at most, and by UDP')
    }
    for (const server of servers) {
      const asked = server.kind === 'turn' ? [this.#askTurn(server)] : hosts.map((host) => this.#askStun(server, host))
      for (const one of asked) {
        one.catch((error: unknown) => log.debug({ err: error, host: server.host }, 'no candidate from an ICE server'))
      }
    }
  }

  /** Relayed addresses are given back; then the sockets close. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled(this.#relays.map(giveBack))
    for (const socket of this.#sockets) await socket.close()
  }

  async #openHost(address: string, order: number): Promise<StunProtocol> {
    const socket = await this.#open(address)
    const protocol = new StunProtocol()
    protocol.transport = socket as unknown as UdpTransport
    protocol.localIp = address
    const { port } = socket.address
    protocol.localCandidate = this.#candidate('host', [address, port], address, order)
    socket.onData = (bytes, from) => this.#options.receive(protocol, bytes, from, () => stunOf(protocol, bytes, from))
    addProtocol(this.#options.connection, protocol)
    this.#tell(protocol.localCandidate)
    return protocol
  }

  /** Our address as a STUN server sees it. */
  async #askStun(server: StunServer, host: StunProtocol): Promise<void> {
    const { localCandidate: base, localIp } = host
    if (base === undefined || localIp === undefined || !isIPv4(localIp)) return
    const request = new Message(methods.BINDING, classes.REQUEST)
    const [response] = await host.request(request, [await resolve(server.host, 4), server.port])
    const [address, port] = response.getAttributeValue('XOR-MAPPED-ADDRESS')
    if (address === base.host && port === base.port) return
    this.#tell(this.#candidate('srflx', [address, port], base.host, 0, [base.host, base.port]))
  }

  /** An address at a TURN server. */
  async #askTurn({ host, port, username, credential }: TurnServer): Promise<void> {
    const server = await resolve(host)
    const socket = await this.#open(this.#towards(server))
    const transport = socket as unknown as UdpTransport
    const turn = new TurnProtocol([server, port], username, credential, allocationSeconds, transport)
    try {
      const allocated = turn.connectionMade()
      const hear = socket.onData
      socket.onData = (bytes, from) => {
        if (from[0] === server && from[1] === port) hear(bytes, from)
      }
      await allocated
    } catch (error) {
      await turn.close()
      throw error
    }
    if (this.#closed) return turn.close()
    this.#relays.push(turn)
    const protocol = new StunOverTurnProtocol(turn)
    protocol.localCandidate = this.#candidate('relay', turn.relayedAddress, server, 0, turn.mappedAddress)
    guardRelay(protocol, (bytes, from, pass) => this.#options.receive(protocol, bytes, from, pass))
    addProtocol(this.#options.connection, protocol)
    this.#tell(protocol.localCandidate)
  }

  /** A server on this machine (a bridge to TCP) answers to loopback alone. */
  #towards(server: string): string {
    if (!isIPv4(server)) return this.#boundTo(6) ?? '::'
    return server.startsWith('127.') ? '127.0.0.1' : (this.#boundTo(4) ?? '0.0.0.0')
  }

  #boundTo(family: 4 | 6): string | undefined {
    const { bindAddress } = this.#options
    return bindAddress !== undefined && isIPv4(bindAddress) === (family === 4) ? bindAddress : undefined
  }

  async #open(address: string): Promise<IceSocket> {
    const socket = await IceSocket.open(address, this.#options.log)
    if (this.#closed) {
      await socket.close()
      throw new Error('closed')
    }
    this.#sockets.push(socket)
    return socket
  }

  #candidate(
    type: 'host' | 'srflx' | 'relay',
    [host, port]: Address,
    base: string,
    order: number,
    related?: Address,
  ): Candidate {
    const priority = candidatePriority(type, { otherPreference: 65_535 - order })
    const { generation, localUsername } = this.#options.connection
    const foundation = candidateFoundation(type, 'udp', base)
    const rest = [related?.[0], related?.[1], undefined, generation, localUsername] as const
    return new Candidate(foundation, 1, 'udp', priority, host, port, type, ...rest)
  }

  #tell({ foundation, priority, host, port, type, relatedAddress, relatedPort }: Candidate): void {
    if (this.#closed) return
    const related = relatedAddress === undefined ? '' : ` raddr ${relatedAddress} rport ${relatedPort}`
    this.#options.candidate(`candidate:${foundation} 1 UDP ${priority} ${host} ${port} typ ${type}${related}`)
  }
}

/** RFC 8656 §7: a lifetime of zero. Else the server would keep the address for minutes. */
function giveBack(turn: TurnProtocol): Promise<unknown> {
  const request = new Message(methods.REFRESH, classes.REQUEST).setAttribute('LIFETIME', 0) as Message
  return turn.request(request, turn.server, undefined, { retransmissions: 0, responseTimeout: giveBackMs })
}
