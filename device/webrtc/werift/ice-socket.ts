import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, isIPv6 } from 'node:net'
import type { Logger } from 'pino'

/** IP address and port. */
export type Address = readonly [host: string, port: number]

/**
 * A UDP socket on one local address, in the shape that werift wants. werift's own binds to all addresses, and an address that
 * cannot be reached ends the program: it does not listen for errors.
 */
export class IceSocket {
  readonly type = 'udp'
  readonly addressFamily: 4 | 6
  onData: (bytes: Buffer, from: Address) => void = () => undefined
  closed = false
  readonly #socket: Socket
  readonly #log: Logger
  #sending = 0

  private constructor(socket: Socket, family: 4 | 6, log: Logger) {
    this.#socket = socket
    this.addressFamily = family
    this.#log = log
    socket.on('error', (error) => log.debug({ err: error }, 'ICE socket'))
    socket.on('message', (bytes, { address, port }) => {
      if (!this.closed) this.onData(bytes, [address.replace(/%.*$/, ''), port])
    })
  }

  /** @throws Error where the address is not ours */
  static async open(address: string, log: Logger): Promise<IceSocket> {
    const family = isIPv6(address) ? 6 : 4
    const socket = createSocket(`udp${family}`)
    try {
      socket.bind(0, address)
      await once(socket, 'listening')
    } catch (error) {
      socket.close()
      throw error
    }
    return new IceSocket(socket, family, log)
  }

  get address(): AddressInfo {
    return this.#socket.address()
  }

  /** What cannot be sent is lost, as on the way. */
  async send(bytes: Buffer, to?: Address): Promise<void> {
    if (this.closed || to === undefined) return
    this.#sending += 1
    this.#socket.send(bytes, to[1], to[0], (error) => {
      if (error) this.#log.debug({ err: error }, 'datagram not sent')
      this.#sending -= 1
      if (this.closed && this.#sending === 0) this.#socket.close()
    })
  }

  /** What was sent before still goes out. Idempotent. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    if (this.#sending === 0) this.#socket.close()
  }
}
