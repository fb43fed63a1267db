import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface Address {
  address: string
  port: number
}

/** Somebody with an address of their own on 127.0.0.1, who sends what they like and keeps what comes back. */
export class Stranger implements AsyncDisposable {
  readonly heard: Buffer[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes) => this.heard.push(bytes))
  }

  static async open(): Promise<Stranger> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new Stranger(socket)
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Resolves when the datagram has left. */
  send(bytes: Uint8Array, to: Address): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#socket.send(bytes, to.port, to.address, (error) => (error ? reject(error) : resolve()))
    return promise
  }

  async close(): Promise<void> {
    await this[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.close(resolve)
    await promise
  }
}
