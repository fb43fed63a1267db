import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { asPorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import { TurnStream, toStream } from './turn-stream.ts'

export interface TurnServer {
  host: string
  port: number
  tls: boolean
}

/** Sessions that relay at the same time; the datagrams of a further one are dropped. */
const maxConnections = 32
/** A connection that nothing passes over is closed, ms: a session that is relayed says something every few seconds. */
const idleMs = 120_000
/** Bytes that wait for a slow connection; what comes on top is dropped, as a full link would. */
const maxWaiting = 256 * 1024

/**
 * Brings TURN over UDP to a server by TCP or TLS, for an engine that speaks UDP only (libjuice): a UDP port on loopback in
 * front, one connection per session behind. Credentials and relayed addresses are the engine's; nothing of them is read.
 */
export class TurnBridge implements AsyncDisposable {
  readonly #front: UdpSocket
  readonly #server: TurnServer
  readonly #log: Logger
  /** By the engine's UDP port. */
  readonly #connections = new Map<number, Socket>()
  #closed = false

  private constructor(front: UdpSocket, server: TurnServer, log: Logger) {
    this.#front = front
    this.#server = server
    this.#log = log
    front.on('error', (error) => log.debug({ err: error }, 'TURN bridge'))
    front.on('message', (datagram, { port }) => this.#forward(port, datagram))
  }

  /** @throws Error where no UDP port is free */
  static async open(server: TurnServer, log: Logger): Promise<TurnBridge> {
    const front = createSocket('udp4')
    front.bind(0, '127.0.0.1')
    await once(front, 'listening')
    front.unref()
    return new TurnBridge(front, server, log)
  }

  /** Where the engine finds the server, on 127.0.0.1. */
  get port(): number {
    return this.#front.address().port
  }

  #forward(engine: number, datagram: Buffer): void {
    const connection = this.#connections.get(engine) ?? this.#connect(engine)
    if (connection && connection.writableLength < maxWaiting) connection.write(toStream(datagram))
  }

  #connect(engine: number): Socket | undefined {
    if (this.#closed || this.#connections.size >= maxConnections) return undefined
    const { host, port, tls } = this.#server
    const servername = isIP(host) ? {} : { servername: host }
    const connection = tls ? connectTls({ host, port, ...servername }) : connect({ host, port })
    this.#connections.set(engine, connection)
    connection.setNoDelay(true)
    connection.setTimeout(idleMs, () => connection.destroy())
    const stream = new TurnStream()
    connection.on('data', (chunk: Buffer) => {
      try {
        for (const message of stream.push(chunk)) if (!this.#closed) this.#front.send(message, engine, '127.0.0.1')
      } catch (thrown) {
        connection.destroy(asPorchlightError(thrown))
      }
    })
    connection.on('error', (error) => this.#log.debug({ err: error, host, port }, 'TURN connection'))
    connection.on('close', () => {
      if (this.#connections.get(engine) === connection) this.#connections.delete(engine)
    })
    return connection
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const connection of this.#connections.values()) connection.destroy()
    this.#front.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
