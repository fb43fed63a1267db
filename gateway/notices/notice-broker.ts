import { randomUUID } from 'node:crypto'
import type { CameraNotice, EventNotice, FloorNotice } from '@porchlight/proto/messages/notice.ts'
import { viewerCameraTopic, viewerEventTopic, viewerFloorTopic, viewerSubscriptions } from '@porchlight/proto/topics.ts'
import { Aedes, type Client } from 'aedes'
import type { Logger } from 'pino'
import { createWebSocketStream, type WebSocket } from 'ws'
import { ByteGuard, type ByteGuardBounds } from '../broker/byte-guard.ts'
import { ConnectionLimits } from '../broker/connection-limits.ts'

/** A page sends little: CONNECT, a few filters, pings. */
const guardBounds: ByteGuardBounds = { connectBytes: 512, packetBytes: 512, admitMs: 10_000 }
/** Largest WebSocket message taken from a page, bytes. */
export const maxFrameBytes = 2_048
/** Pages at a time, in all and per session before they are connected. */
const bounds = { total: 512, pending: 64, pendingPerAddress: 16 }
/** A page comes back and shows its cookie at least so often, ms. */
const maxConnectionMs = 24 * 3_600_000
/** WebSocket close code: policy violation (RFC 6455 §7.4.1). */
const policyViolation = 1008

/**
 * Live notices to open pages: an MQTT broker of its own, which only pages on the gateway's WebSocket use. They may
 * subscribe to notices and publish nothing; the phone never holds a credential of the devices' broker.
 */
export class NoticeBroker implements AsyncDisposable {
  readonly #aedes: Aedes
  readonly #log: Logger
  readonly #limits = new ConnectionLimits(bounds)
  readonly #sockets = new Map<string, Set<WebSocket>>()
  #closing: Promise<void> | undefined

  private constructor(aedes: Aedes, log: Logger) {
    this.#aedes = aedes
    this.#log = log
    this.#wire()
  }

  static async open(log: Logger): Promise<NoticeBroker> {
    // A page that takes nothing for so long is cut, so that it cannot hold up the others.
    return new NoticeBroker(
      await Aedes.createBroker({ drainTimeout: 5_000, maxTopicLevels: 7, keepaliveLimit: 600 }),
      log,
    )
  }

  /**
   * Takes a page's WebSocket over.
   * @param session id of the page's sign-in: when it ends, the connection ends
   * @param lifeMs how long that sign-in still lasts, ms
   */
  attach(socket: WebSocket, session: string, lifeMs: number): void {
    const place = this.#limits.enter(session)
    if (typeof place === 'string' || this.#closing) {
      socket.close(policyViolation, 'too many connections')
      return
    }
    const sockets = this.#sockets.get(session) ?? new Set()
    this.#sockets.set(session, sockets.add(socket))
    const timer = setTimeout(() => socket.close(policyViolation, 'sign in'), Math.min(lifeMs, maxConnectionMs))
    const stream = createWebSocketStream(socket)
    const guard = new ByteGuard(stream, guardBounds, {
      refused: (reason) => this.#log.debug({ reason }, 'a page was refused'),
      admitted: place.admit,
    })
    guard.once('close', () => {
      clearTimeout(timer)
      place.leave()
      sockets.delete(socket)
      if (sockets.size === 0) this.#sockets.delete(session)
      socket.terminate()
    })
    this.#aedes.handle(guard)
  }

  /** Ends the connections of a sign-in. */
  endSession(session: string): void {
    for (const socket of this.#sockets.get(session) ?? []) socket.close(policyViolation, 'signed out')
  }

  event(notice: EventNotice): void {
    this.#publish(viewerEventTopic, JSON.stringify(notice), false)
  }

  /** Retained. */
  camera(notice: CameraNotice): void {
    this.#publish(viewerCameraTopic(notice.id), JSON.stringify(notice), true)
  }

  /** Takes the retained notices of a camera back. */
  forgetCamera(id: string): void {
    this.#publish(viewerCameraTopic(id), '', true)
    this.#publish(viewerFloorTopic(id), '', true)
  }

  /** Retained. */
  floor(notice: FloorNotice): void {
    this.#publish(viewerFloorTopic(notice.camera), JSON.stringify(notice), true)
  }

  /** Idempotent. */
  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (!this.#closing) {
      this.#closing = promise
      this.#aedes.close(() => resolve())
    }
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #publish(topic: string, payload: string, retain: boolean): void {
    if (this.#closing) return
    this.#aedes.publish({ cmd: 'publish', topic, payload, qos: 0, retain, dup: false }, (error) => {
      if (error) this.#log.warn({ err: error, topic }, 'a notice could not be published')
    })
  }

  #wire(): void {
    const aedes = this.#aedes
    aedes.preConnect = (_client, packet, done) => {
      // Two pages never share an id, whatever they say, so that none can throw the other out.
      packet.clientId = randomUUID()
      packet.clean = true
      done(packet.will ? new Error('a page leaves no will') : null, packet.will === undefined)
    }
    // The cookie and the Origin were checked before the WebSocket was opened.
    aedes.authenticate = (_client, _user, _password, done) => done(null, true)
    aedes.authorizePublish = (_client, _packet, done) => done(new Error('a page publishes nothing'))
    aedes.authorizeSubscribe = (_client, subscription, done) =>
      done(null, viewerSubscriptions.includes(subscription.topic) ? subscription : null)
    aedes.on('clientReady', (client) => {
      if (client.conn instanceof ByteGuard) client.conn.admit()
    })
    const note = (_client: Client, error: Error) => this.#log.debug({ err: error }, 'a page’s connection failed')
    aedes.on('clientError', note)
    aedes.on('connectionError', note)
  }
}
