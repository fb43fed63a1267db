import type { ErrorCode } from '@porchlight/proto/errors.ts'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Enrolment } from '@porchlight/proto/identity/enrolment.ts'
import type { CameraState } from '@porchlight/proto/messages/cameras.ts'
import { type Command, command } from '@porchlight/proto/messages/command.ts'
import type { Envelope } from '@porchlight/proto/messages/envelope.ts'
import type { Event } from '@porchlight/proto/messages/event.ts'
import { type SignalDown, type SignalUp, signalDown } from '@porchlight/proto/messages/signal.ts'
import {
  camerasTopic,
  commandTopic,
  eventTopic,
  presenceTopic,
  signalDownTopic,
  signalUpTopic,
} from '@porchlight/proto/topics.ts'
import type { Logger } from 'pino'
import { newId } from '../identity/ids.ts'
import { Backoff } from './backoff.ts'
import { Connection } from './connection.ts'
import { Inbox } from './inbox.ts'
import { Outbox } from './outbox.ts'
import type { OutboxFile } from './outbox-file.ts'
import { wait } from './wait.ts'

/** How long a signal is worth answering, ms. */
const signalTtlMs = 15_000
/** A connection that lasted so long starts the back-off anew, ms. */
const lastedMs = 20_000
/** Camera states are told at most this often, ms. */
const camerasEveryMs = 250

type WithoutEnvelope<T> = T extends Envelope ? Omit<T, 'v' | 'id' | 'ts' | 'ttl' | 're' | 'from'> : never
/** A signal before the link puts it into its envelope. */
export type SignalBody = WithoutEnvelope<SignalUp>
export type EventBody = Omit<WithoutEnvelope<Event>, 'type' | 'bootId'>

export interface LinkOptions {
  enrolment: Enrolment
  bootId: string
  /** Version of the agent. */
  version: string
  limits: { keepaliveSeconds: number; outboxEvents: number; outboxHours: number; backoffMaxSeconds: number }
  /** Where events wait over a restart. */
  outboxFile: OutboxFile
  /** The next connection's epoch (kept on disk). */
  nextEpoch(): Promise<number>
  /** A device token of this moment. */
  token(): string
  /** The pinned authority's certificate for a TLS url. */
  authority(url: URL, signal: AbortSignal): Promise<string | undefined>
  cameras(): CameraState[]
  on: {
    command(command: Command): void
    signal(signal: SignalDown): void
    /** Said only at changes. */
    online(online: boolean): void
  }
  now: () => number
  /** Never steps, ms: for what waits. */
  monotonic: () => number
  random: () => number
  log: Logger
}

/** The device's line to its gateway: presence, camera states, events and signals over MQTT, with an outbox for bad times. */
export class Link implements AsyncDisposable {
  readonly #options: LinkOptions
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #abort = new AbortController()
  #running: Promise<void> | undefined
  #connection: Connection | undefined
  #epoch = 0
  #camerasTimer: NodeJS.Timeout | undefined
  #lastError: ErrorCode | undefined
  /** Connections made since start. */
  connections = 0

  constructor(options: LinkOptions) {
    this.#options = options
    const { outboxEvents, outboxHours } = options.limits
    this.#outbox = new Outbox({ events: outboxEvents, ageMs: outboxHours * 3_600_000 })
    this.#outbox.restore(options.outboxFile.load(options.enrolment.device), options.monotonic())
    this.#inbox = new Inbox(options.now)
  }

  get online(): boolean {
    return this.#connection?.open === true
  }

  /** Why it is not online, as an error code. */
  get error(): ErrorCode | undefined {
    return this.online ? undefined : this.#lastError
  }

  get counters() {
    return {
      connections: this.connections,
      outbox: this.#outbox.size,
      dropped: this.#outbox.dropped,
      accepted: this.#inbox.accepted,
      refused: this.#inbox.refused as ReadonlyMap<ErrorCode, number>,
    }
  }

  /** Connects, and again whenever the connection is lost, until `close`. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Publishes an event now, or as soon as there is a broker (then without its offer). Never throws. */
  publishEvent(body: EventBody): void {
    const event: Event = { ...this.#envelope(), type: 'event', bootId: this.#options.bootId, ...body }
    if (!this.online) {
      if (event.phase === 'active') return
      delete event.offer
    }
    this.#outbox.add(event, this.#options.monotonic())
    if (!this.online) this.#keepOutbox()
    this.#flush()
  }

  /** Publishes a signal; resolves at PUBACK. Signals never wait. @throws PorchlightError `broker_unreachable` */
  async sendSignal(body: SignalBody): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) throw new PorchlightError('broker_unreachable')
    const signal = { ...this.#envelope(signalTtlMs), ...body }
    await connection.publish(signalUpTopic(this.#options.enrolment.device), JSON.stringify(signal))
  }

  /** Something in the cameras' states has changed. */
  camerasChanged(): void {
    if (this.#camerasTimer !== undefined || this.#abort.signal.aborted) return
    this.#camerasTimer = setTimeout(() => {
      this.#camerasTimer = undefined
      this.#publishCameras()
    }, camerasEveryMs)
  }

  /** Says goodbye (presence offline) and disconnects. Idempotent. */
  async close(): Promise<void> {
    if (!this.#abort.signal.aborted) {
      clearTimeout(this.#camerasTimer)
      const connection = this.#connection
      if (connection?.open) {
        await connection
          .publish(presenceTopic(this.#options.enrolment.device), this.#presence(false), true)
          .catch((error: unknown) => this.#options.log.debug({ err: error }, 'goodbye was not heard'))
        await connection.close()
      }
      this.#abort.abort()
    }
    await this.#running
    this.#keepOutbox()
    await this.#options.outboxFile.settled()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    const { limits, random, log, now } = this.#options
    const backoff = new Backoff(limits.backoffMaxSeconds * 1000, random)
    const { signal } = this.#abort
    while (!signal.aborted) {
      const began = now()
      const error = await this.#once(signal)
      if (signal.aborted) return
      if (this.#lastError !== error.code) log.warn({ code: error.code, detail: error.detail }, 'no link to the gateway')
      this.#lastError = error.code
      if (now() - began > lastedMs) backoff.reset()
      await wait(backoff.next(), signal)
    }
  }

  /** One connection from its beginning to its end; the reason. */
  async #once(signal: AbortSignal): Promise<PorchlightError> {
    const { enrolment, on, log } = this.#options
    try {
      this.#epoch = await this.#options.nextEpoch()
      const connection = await Connection.open(
        {
          url: enrolment.broker,
          device: enrolment.device,
          user: enrolment.brokerUser ?? enrolment.device,
          password: enrolment.brokerPassword ?? this.#options.token(),
          keepaliveSeconds: this.#options.limits.keepaliveSeconds,
          will: { topic: presenceTopic(enrolment.device), payload: Buffer.from(this.#presence(false)) },
          subscribe: [commandTopic(enrolment.device), signalDownTopic(enrolment.device)],
          ca: await this.#options.authority(new URL(enrolment.broker), signal),
          onMessage: (topic, payload) => this.#received(topic, payload),
        },
        signal,
      )
      this.#connection = connection
      await this.#greet(connection)
      this.connections += 1
      this.#lastError = undefined
      log.info({ epoch: this.#epoch }, 'linked to the gateway')
      on.online(true)
      this.#flush()
      return await connection.ended
    } catch (error) {
      return error instanceof PorchlightError ? error : new PorchlightError('internal', undefined, { cause: error })
    } finally {
      const wasOnline = this.#connection !== undefined
      this.#connection?.kill()
      this.#connection = undefined
      this.#outbox.interrupted()
      this.#keepOutbox()
      if (wasOnline) on.online(false)
    }
  }

  async #greet(connection: Connection): Promise<void> {
    await connection.publish(presenceTopic(this.#options.enrolment.device), this.#presence(true), true)
    await connection.publish(camerasTopic(this.#options.enrolment.device), this.#cameras(), true)
  }

  #keepOutbox(): void {
    const { outboxFile, monotonic } = this.#options
    outboxFile.save(this.#outbox.kept(monotonic()))
  }

  #flush(): void {
    const connection = this.#connection
    if (connection === undefined || !connection.open) return
    for (const event of this.#outbox.take(this.#options.monotonic())) {
      connection.publish(eventTopic(this.#options.enrolment.device), JSON.stringify(event)).then(
        () => {
          this.#outbox.acknowledged(event.id)
          // One write for all that had waited.
          if (this.#outbox.size === 0) this.#keepOutbox()
        },
        // It stays in the outbox, and the end of the connection puts it back in line.
        (error: unknown) => {
          this.#options.log.debug({ err: error, event: event.eventId }, 'an event waits for the next connection')
          connection.kill()
        },
      )
    }
  }

  #received(topic: string, payload: Uint8Array): void {
    const { enrolment, on, log } = this.#options
    try {
      if (topic === commandTopic(enrolment.device)) {
        const taken = this.#inbox.take(command, payload)
        if (taken.type === 'hello') this.#hello()
        else on.command(taken)
      } else if (topic === signalDownTopic(enrolment.device)) {
        on.signal(this.#inbox.take(signalDown, payload))
      } else {
        throw new PorchlightError('message_foreign', 'topic')
      }
    } catch (error) {
      const known = error instanceof PorchlightError
      if (known) log.debug({ code: error.code, detail: error.detail, topic }, 'message refused')
      else log.error({ err: error, topic }, 'message not handled')
    }
  }

  /** A starting gateway asks everybody (retained messages may not reach it). */
  #hello(): void {
    const connection = this.#connection
    if (connection === undefined) return
    this.#greet(connection).catch((error: unknown) => this.#options.log.debug({ err: error }, 'hello not answered'))
  }

  #publishCameras(): void {
    const connection = this.#connection
    if (connection === undefined || !connection.open) return // told at the next connection
    connection
      .publish(camerasTopic(this.#options.enrolment.device), this.#cameras(), true)
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'camera states wait for the next connection'))
  }

  #presence(online: boolean): string {
    const { bootId, version } = this.#options
    return JSON.stringify({ ...this.#envelope(), type: 'presence', online, bootId, epoch: this.#epoch, version })
  }

  #cameras(): string {
    const { bootId, cameras } = this.#options
    return JSON.stringify({ ...this.#envelope(), type: 'cameras', bootId, cameras: cameras() })
  }

  #envelope(ttl?: number): Envelope {
    const from = this.#options.enrolment.device
    return { v: 1, id: newId(), ts: this.#options.now(), from, ...(ttl !== undefined && { ttl }) }
  }
}
