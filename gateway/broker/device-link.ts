import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { backoff } from '@porchlight/proto/backoff.ts'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Cameras } from '@porchlight/proto/messages/cameras.ts'
import type { Command } from '@porchlight/proto/messages/command.ts'
import type { Envelope } from '@porchlight/proto/messages/envelope.ts'
import type { Event } from '@porchlight/proto/messages/event.ts'
import type { Presence } from '@porchlight/proto/messages/presence.ts'
import type { SignalDown, SignalUp } from '@porchlight/proto/messages/signal.ts'
import { commandTopic, gatewaySubscriptions, signalDownTopic } from '@porchlight/proto/topics.ts'
import { connect, type IClientOptions, MqttClient } from 'mqtt'
import type { Logger } from 'pino'
import type { Metrics } from '../metrics/metrics.ts'
import { readPublication } from './edge.ts'
import { SeenIds } from './seen-ids.ts'

/** A message without what the link fills in. */
export type Body<T> = T extends Envelope ? Omit<T, keyof Envelope> & { re?: string | undefined } : never

/** How to reach the broker: a stream of the embedded one, or an address. Asked anew for each connection. */
export type BrokerWay =
  | { stream: Duplex; user: string; password: string }
  | { url: string; user?: string | undefined; password?: string | undefined; ca?: string | undefined }

/** Who takes what devices say. A handler that throws is logged and disturbs nobody else. */
export interface DeviceHandlers {
  presence(device: string, message: Presence): void
  cameras(device: string, message: Cameras): void
  event(device: string, message: Event): void
  signal(device: string, message: SignalUp): void
  /** The link is up (subscribed) or down. */
  link(up: boolean): void
}

export interface DeviceLinkOptions {
  way: () => BrokerWay
  clientId: string
  /** Devices that `hello` goes to whenever the link comes up. */
  enrolled: () => Promise<string[]>
  handlers: DeviceHandlers
  metrics: Metrics
  log: Logger
  /** ms since the Unix epoch */
  now: () => number
  /** uniform in [0, 1) */
  random: () => number
}

/** Life of commands and signals, ms: a doorbell that comes back never answers a dead one. */
const commandTtlMs = 15_000
const signalTtlMs = 20_000
/** Longest wait for CONNACK, SUBACK and PUBACK, ms. */
const answerMs = 10_000
/** Longest wait for a farewell, ms. */
const closeMs = 2_000
/** Ids remembered per device. */
const seenPerDevice = 512
const maxDevices = 4_096

/**
 * The gateway's end of the devices' broker: an ordinary MQTT 3.1.1 client, whether the broker is the embedded one or
 * somebody else's. Comes back by itself.
 */
export class DeviceLink implements AsyncDisposable {
  readonly #options: DeviceLinkOptions
  readonly #seen = new Map<string, SeenIds>()
  #client: MqttClient | undefined
  #up = false
  #attempt = 0
  #retry: NodeJS.Timeout | undefined
  #closed = false
  /** Code of the failure last logged, so that an outage is one line and not one per try. */
  #failing: string | undefined

  constructor(options: DeviceLinkOptions) {
    this.#options = options
  }

  /** Connects, and keeps connecting. Once. */
  start(): void {
    this.#connect()
  }

  get up(): boolean {
    return this.#up
  }

  /** Resolves at the broker's PUBACK. @throws PorchlightError `broker_unreachable` */
  async sendCommand(device: string, body: Body<Command>): Promise<void> {
    await this.#publish(commandTopic(device), body, commandTtlMs)
  }

  /** Resolves at the broker's PUBACK. @throws PorchlightError `broker_unreachable` */
  async sendSignal(device: string, body: Body<SignalDown>): Promise<void> {
    await this.#publish(signalDownTopic(device), body, signalTtlMs)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#retry)
    const client = this.#client
    if (!client) return
    // What is under way may still be acknowledged; a broker that hangs is not waited for.
    const timer = setTimeout(() => client.stream?.destroy(), closeMs)
    try {
      await client.endAsync(!this.#up)
    } finally {
      clearTimeout(timer)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #publish(topic: string, body: object, ttl: number): Promise<void> {
    const client = this.#client
    if (!this.#up || !client) throw new PorchlightError('broker_unreachable')
    const envelope: Envelope = { v: 1, id: randomUUID(), ts: this.#options.now(), ttl, from: 'gateway' }
    const lost = Promise.withResolvers<never>()
    const timer = setTimeout(() => lost.reject(new PorchlightError('broker_unreachable', 'no PUBACK')), answerMs)
    const close = () => lost.reject(new PorchlightError('broker_unreachable', 'connection lost'))
    client.once('close', close)
    try {
      await Promise.race([
        client.publishAsync(topic, JSON.stringify({ ...body, ...envelope }), { qos: 1 }),
        lost.promise,
      ])
    } catch (cause) {
      throw cause instanceof PorchlightError ? cause : new PorchlightError('broker_unreachable', undefined, { cause })
    } finally {
      clearTimeout(timer)
      client.off('close', close)
    }
  }

  #connect(): void {
    const way = this.#options.way()
    const options: IClientOptions = {
      clientId: 'stream' in way ? way.user : this.#options.clientId,
      protocolVersion: 4,
      // Another's broker keeps events for a gateway that starts again; the embedded one starts with it.
      clean: 'stream' in way,
      // Trying again is ours: with back-off and jitter.
      reconnectPeriod: 0,
      connectTimeout: answerMs,
      keepalive: 30,
      resubscribe: false,
      queueQoSZero: false,
      ...(way.user !== undefined && { username: way.user }),
      ...(way.password !== undefined && { password: way.password }),
      ...('ca' in way && way.ca !== undefined && { ca: way.ca }),
    }
    const client = 'stream' in way ? new MqttClient(() => way.stream, options) : connect(way.url, options)
    this.#client = client
    let over = false
    const end = (cause?: Error) => {
      if (over) return
      over = true
      client.end(true)
      this.#down(cause)
    }
    client.on('message', (topic, payload) => this.#receive(topic, payload))
    client.on('error', end)
    client.on('close', () => end())
    client.on('connect', () => {
      client.subscribeAsync(gatewaySubscriptions, { qos: 1 }).then(
        () => {
          if (!over) this.#came()
        },
        // A SUBACK that refuses (MQTT 3.1.1 §3.9.3) comes as an error with the packet.
        (error: Error) => end('packet' in error ? new PorchlightError('broker_auth', 'subscription refused') : error),
      )
    })
  }

  #came(): void {
    const { handlers, log, metrics } = this.#options
    this.#up = true
    this.#attempt = 0
    this.#failing = undefined
    metrics.brokerLinkUp.set(1)
    log.info('connected to the devices’ broker')
    this.#guarded('link', () => handlers.link(true))
    this.#hello().catch((error: unknown) => log.warn({ err: error }, 'devices could not be asked for their state'))
  }

  async #hello(): Promise<void> {
    const devices = await this.#options.enrolled()
    await Promise.all(devices.map((device) => this.sendCommand(device, { type: 'hello' })))
  }

  #down(cause: Error | undefined): void {
    const { handlers, log, metrics } = this.#options
    const wasUp = this.#up
    this.#up = false
    metrics.brokerLinkUp.set(0)
    if (wasUp) this.#guarded('link', () => handlers.link(false))
    if (this.#closed) return
    // CONNACK 4 and 5 (MQTT 3.1.1 §3.2.2.3)
    const refused = cause && 'code' in cause && (cause.code === 4 || cause.code === 5 || cause.code === 'broker_auth')
    const code = refused ? 'broker_auth' : 'broker_unreachable'
    if (this.#failing !== code) log.error({ err: cause, code }, new PorchlightError(code).message)
    this.#failing = code
    this.#retry = setTimeout(() => this.#connect(), backoff(this.#attempt, this.#options.random))
    this.#attempt += 1
  }

  #receive(topic: string, payload: Uint8Array): void {
    const { handlers, log, metrics, now } = this.#options
    try {
      const read = readPublication(topic, payload, (device) => this.#seenOf(device), now())
      metrics.messages.inc({ type: read.kind })
      this.#guarded(read.kind, () => {
        if (read.kind === 'presence') handlers.presence(read.device, read.message)
        else if (read.kind === 'cameras') handlers.cameras(read.device, read.message)
        else if (read.kind === 'event') handlers.event(read.device, read.message)
        else handlers.signal(read.device, read.message)
      })
    } catch (error) {
      const code = error instanceof PorchlightError ? error.code : 'internal'
      metrics.messagesDropped.inc({ code })
      log.warn({ topic, code, detail: error instanceof PorchlightError ? error.detail : undefined }, 'message dropped')
    }
  }

  #guarded(kind: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#options.log.error({ err: error, kind }, 'a message could not be handled')
    }
  }

  #seenOf(device: string): SeenIds {
    let seen = this.#seen.get(device)
    if (!seen) {
      if (this.#seen.size >= maxDevices) this.#seen.clear()
      seen = new SeenIds(seenPerDevice)
      this.#seen.set(device, seen)
    }
    return seen
  }
}
