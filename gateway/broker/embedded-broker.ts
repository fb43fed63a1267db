import type { AddressInfo } from 'node:net'
import net from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import tls from 'node:tls'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { maxMessageBytes } from '@porchlight/proto/messages/envelope.ts'
import { Aedes, type AuthenticateError, type Client } from 'aedes'
import type { Logger } from 'pino'
import { newSecret, sameSecret } from '../identity/secrets.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { ByteGuard, type ByteGuardBounds } from './byte-guard.ts'
import { type ConnectionBounds, ConnectionLimits, defaultBounds } from './connection-limits.ts'
import { mayLeaveWill, mayPublish, maySubscribe, type Peer } from './device-policy.ts'
import type { Refusal } from './packet-scanner.ts'

export interface EmbeddedBrokerOptions {
  host: string
  /** TCP port; 0 takes any. */
  port: number
  /** PEM texts. Without them only loopback is bound. */
  tls: { cert: string; key: string } | undefined
  /** Says whose a password (a device token) is. */
  devices: { check(token: string): Promise<{ kind: 'device'; device: string }> }
  metrics: Metrics
  log: Logger
  bounds?: ConnectionBounds & ByteGuardBounds
}

const guardBounds: ByteGuardBounds = { connectBytes: 4_096, packetBytes: maxMessageBytes + 512, admitMs: 10_000 }
/** User name of the gateway's own connection; no device can be called so. */
export const gatewayUser = 'gateway'

/** CONNACK return codes (MQTT 3.1.1 §3.2.2.3). */
const unavailable = 3
const badCredential = 4
const notAuthorized = 5

/**
 * The devices' MQTT broker inside the gateway: aedes behind a byte guard. Nothing anonymous; a device only its own topics;
 * sessions are never kept, because what a device missed has expired.
 */
export class EmbeddedBroker implements AsyncDisposable {
  readonly #options: EmbeddedBrokerOptions
  readonly #aedes: Aedes
  readonly #server: net.Server
  readonly #limits: ConnectionLimits
  readonly #secret = newSecret()
  readonly #peers = new WeakMap<Client, Peer>()
  readonly #wills = new WeakMap<Client, string>()
  readonly #clients = new Map<string, Client>()
  /** Whether the gateway itself listens: before, an event would be acknowledged and heard by nobody. */
  #gatewayListens = false
  #closing: Promise<void> | undefined

  private constructor(options: EmbeddedBrokerOptions, aedes: Aedes) {
    this.#options = options
    this.#aedes = aedes
    this.#limits = new ConnectionLimits(options.bounds ?? defaultBounds)
    const accept = (socket: Duplex & { remoteAddress?: string | undefined }) =>
      this.#accept(socket, socket.remoteAddress ?? 'unknown')
    this.#server = options.tls
      ? tls.createServer({ ...options.tls, handshakeTimeout: guardBounds.admitMs }, accept)
      : net.createServer({ noDelay: true }, accept)
    this.#server.maxConnections = (options.bounds ?? defaultBounds).total
    this.#server.on('tlsClientError', () => this.#refused('slow'))
    this.#wire()
  }

  /** @throws PorchlightError `config_invalid` (not loopback and no TLS), `port_in_use` */
  static async open(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
    if (!options.tls && !isLoopback(options.host)) {
      throw new PorchlightError(
        'config_invalid',
        `broker.host ${options.host}: only loopback while tls is not configured`,
      )
    }
    const aedes = await Aedes.createBroker({
      connectTimeout: guardBounds.admitMs,
      // A peer that takes nothing for so long is cut, so that it cannot hold up the others.
      drainTimeout: 10_000,
      maxTopicLevels: 7,
      maxClientsIdLength: 32,
      maxInflightInbound: 16,
      keepaliveLimit: 600,
    })
    const broker = new EmbeddedBroker(options, aedes)
    try {
      await broker.#listen()
    } catch (error) {
      await broker.close()
      throw error
    }
    return broker
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo
  }

  /** The gateway's own way in: no port, but a credential all the same, made at each start. */
  connectGateway(): { stream: Duplex; user: string; password: string } {
    const [inside, outside] = duplexPair()
    // A pair closes one side only; a socket's other end would notice.
    inside.once('close', () => outside.destroy())
    this.#accept(inside, 'gateway')
    return { stream: outside, user: gatewayUser, password: this.#secret }
  }

  /** Says whether the gateway is subscribed; devices are let in only then. */
  gatewayListens(listens: boolean): void {
    this.#gatewayListens = listens
  }

  /** Cuts a device's connection (it was revoked). */
  cut(device: string): void {
    this.#clients.get(device)?.close()
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #shut(): Promise<void> {
    const server = Promise.withResolvers<void>()
    if (this.#server.listening) this.#server.close(() => server.resolve())
    else server.resolve()
    const broker = Promise.withResolvers<void>()
    this.#aedes.close(() => broker.resolve())
    await Promise.all([server.promise, broker.promise])
  }

  #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const { host, port } = this.#options
    this.#server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE'
      reject(new PorchlightError(inUse ? 'port_in_use' : 'config_invalid', `broker ${host}:${port}`, { cause }))
    })
    this.#server.listen(port, host, () => {
      this.#server.removeAllListeners('error')
      this.#server.on('error', (error) =>
        this.#options.log.error({ err: error }, 'the broker cannot accept connections'),
      )
      resolve()
    })
    return promise
  }

  #accept(socket: Duplex, address: string): void {
    const place = this.#limits.enter(address)
    if (typeof place === 'string') {
      this.#refused(place)
      socket.destroy()
      return
    }
    const guard = new ByteGuard(socket, this.#options.bounds ?? guardBounds, {
      refused: (reason) => this.#refused(reason),
      admitted: place.admit,
    })
    guard.once('close', place.leave)
    this.#aedes.handle(guard)
  }

  #refused(reason: Refusal): void {
    this.#options.metrics.brokerRefused.inc({ reason })
    this.#options.log.debug({ reason }, 'a broker connection was refused')
  }

  #wire(): void {
    const aedes = this.#aedes
    aedes.preConnect = (client, packet, done) => {
      if (packet.will) this.#wills.set(client, packet.will.topic)
      // A server may always answer "no session present" (MQTT 3.1.1 §3.2.2.2).
      packet.clean = true
      done(null, true)
    }
    aedes.authenticate = (client, user, password, done) => {
      this.#authenticate(client, user, password?.toString()).then(
        (peer) => {
          this.#peers.set(client, peer)
          done(null, true)
        },
        (error: unknown) => {
          this.#options.log.debug({ err: error, client: client.id }, 'a broker credential was refused')
          done(toRefusal(error), false)
        },
      )
    }
    aedes.authorizePublish = (client, packet, done) => {
      const peer = client && this.#peers.get(client)
      if (peer && mayPublish(peer, packet.topic, packet.retain)) return done(null)
      this.#options.metrics.messagesDropped.inc({ code: 'message_foreign' })
      return done(new PorchlightError('message_foreign', 'publish'))
    }
    aedes.authorizeSubscribe = (client, subscription, done) => {
      const peer = this.#peers.get(client)
      // null: SUBACK says 0x80 for this filter (MQTT 3.1.1 §3.9.3).
      done(null, peer && maySubscribe(peer, subscription.topic) ? subscription : null)
    }
    aedes.on('clientReady', (client) => {
      this.#clients.set(client.id, client)
      if (client.conn instanceof ByteGuard) client.conn.admit()
    })
    aedes.on('clientDisconnect', (client) => {
      if (this.#clients.get(client.id) === client) this.#clients.delete(client.id)
    })
    const note = (client: Client, error: Error) =>
      this.#options.log.debug({ err: error, client: client.id }, 'a broker connection failed')
    aedes.on('clientError', note)
    aedes.on('connectionError', note)
  }

  async #authenticate(client: Client, user: string | undefined, password: string | undefined): Promise<Peer> {
    if (user === undefined || password === undefined) throw new PorchlightError('broker_auth', 'anonymous')
    if (client.id !== user) throw new PorchlightError('broker_auth', 'client id and user name differ')
    let peer: Peer
    if (user === gatewayUser) {
      if (!sameSecret(password, this.#secret)) throw new PorchlightError('broker_auth')
      peer = { kind: 'gateway' }
    } else {
      peer = await this.#options.devices.check(password)
      if (peer.device !== user) throw new PorchlightError('broker_auth', 'the token is another device’s')
      if (!this.#gatewayListens) throw new PorchlightError('broker_unreachable', 'the gateway is starting')
    }
    const will = this.#wills.get(client)
    if (will !== undefined && !mayLeaveWill(peer, will)) throw new PorchlightError('message_foreign', 'last will')
    return peer
  }
}

function toRefusal(cause: unknown): AuthenticateError {
  const code = cause instanceof PorchlightError ? cause.code : 'internal'
  const returnCode =
    code === 'broker_unreachable' || code === 'internal'
      ? unavailable
      : code === 'message_foreign'
        ? notAuthorized
        : badCredential
  return Object.assign(new Error(code, { cause }), { returnCode })
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
