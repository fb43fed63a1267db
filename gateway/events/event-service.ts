import { splitCameraId, toCameraId } from '@porchlight/proto/ids.ts'
import type { Event } from '@porchlight/proto/messages/event.ts'
import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import type { Offer } from '@porchlight/proto/messages/signal.ts'
import type { Logger } from 'pino'
import { SeenIds } from '../broker/seen-ids.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { EventQuery, EventStore, StoredEvent } from './event-store.ts'

/** How an event came to be told. */
export interface BeginContext {
  device: string
  /** The offer that the event carries, where no session lived. */
  offer: Offer | undefined
  /** It waited in the device's outbox: news of the past. */
  late: boolean
  /** It was open before the gateway started, or went on after it was thought over. Nobody is woken for it again. */
  resumed: boolean
}

/** What is told of an event each time. */
export type EventSign = Pick<Event, 'eventId' | 'kind' | 'phase' | 'at' | 'offer'>

/** Somebody who is told of events. None waits for another; a failure of one is logged and disturbs no other. */
export interface EventListener {
  readonly name: string
  began?(event: StoredEvent, context: BeginContext): void | Promise<void>
  /** Also when an end turns out to have been later than thought. */
  ended?(event: StoredEvent): void | Promise<void>
  still?(event: StoredEvent): void | Promise<void>
  /** It is kept from now on, or no more than others. */
  protected?(event: StoredEvent): void | Promise<void>
}

export interface EventServiceOptions {
  store: EventStore
  listeners: readonly EventListener[]
  /** What people call a camera. */
  title: (camera: string) => string
  /** Whether a sign counts for nothing. Default: none does */
  ignores?(camera: string, sign: EventSign): boolean
  metrics: Metrics
  log: Logger
  /** ms since the Unix epoch */
  now: () => number
  /** ms */
  prerollMs: number
  postrollMs: number
  /** A motion event without a sign for so long is over, ms. */
  quietMs: number
  /** Life of a ring, ms. */
  ringMs: number
}

interface Open {
  event: StoredEvent
  /** Device's time of the last sign. */
  lastAt: number
  timer: NodeJS.Timeout
}

/** An event that begins so long after its time is late, ms. */
const lateMs = 60_000
/** Ids of events remembered against repetition. */
const knownEvents = 4_096

/** Follows the events of all cameras from begin to end, stores them and tells who wants to know. */
export class EventService implements AsyncDisposable {
  readonly #options: EventServiceOptions
  readonly #open = new Map<string, Open>()
  readonly #known = new SeenIds(knownEvents)
  #storing: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: EventServiceOptions) {
    this.#options = options
  }

  /** Takes up what was open when the gateway ended: it goes on, or goes quiet and ends. */
  async load(): Promise<void> {
    for (const id of (await this.#options.store.newestIds(knownEvents)).reverse()) this.#known.add(id)
    for (const event of await this.#options.store.open()) {
      this.#known.add(event.id)
      this.#track(event, event.beginAt)
      this.#began(event, { device: deviceOf(event), offer: undefined, late: false, resumed: true })
    }
  }

  /** A checked event message of a device. Never throws. */
  handle(device: string, message: Event): void {
    this.tell(toCameraId(device, message.camera), message)
  }

  /** A sign of an event at a camera. One of an event that is another camera's is dropped. Never throws. */
  tell(camera: string, sign: EventSign): void {
    if (this.#closed || this.#options.ignores?.(camera, sign)) return
    const open = this.#open.get(sign.eventId)
    if (open && open.event.camera !== camera) {
      this.#options.log.warn({ camera, event: sign.eventId, code: 'message_foreign' }, 'sign of an event dropped')
    } else if (sign.phase === 'end') this.#end(camera, sign)
    else this.#beginOrGoOn(camera, sign)
  }

  /** Undefined where there is no such event. */
  async cameraOf(id: string): Promise<string | undefined> {
    return this.#open.get(id)?.event.camera ?? (await this.#options.store.find(id))?.camera
  }

  /** The still of an event is there. */
  async stillReady(eventId: string): Promise<void> {
    const stored = await this.#options.store.find(eventId)
    const open = this.#open.get(eventId)
    if (open) open.event.hasStill = true
    if (stored) this.#tell('still', { ...(open?.event ?? stored), hasStill: true })
  }

  /**
   * Keeps an event and its footage until it is said otherwise, or no longer than others.
   * @throws PorchlightError `event_not_found`, `index_failed`
   */
  async protect(id: string, isProtected: boolean): Promise<EventNotice> {
    // an event that has just begun is being stored
    await this.#storing
    await this.#options.store.protect(id, isProtected)
    const open = this.#open.get(id)
    if (open) open.event.protected = isProtected
    const event = open?.event ?? (await this.#options.store.get(id))
    this.#tell('protected', event)
    return this.notice(event)
  }

  /** Events of a device that go on. */
  openOf(device: string): StoredEvent[] {
    return [...this.#open.values()].map((open) => open.event).filter((event) => deviceOf(event) === device)
  }

  /** Whether something goes on at a camera: its stream is wanted for the recording. */
  isOpen(camera: string): boolean {
    return [...this.#open.values()].some((open) => open.event.camera === camera)
  }

  async list(query: EventQuery): Promise<{ events: EventNotice[]; next: number | null }> {
    const events = await this.#options.store.list(query)
    const last = events.length === query.limit ? events.at(-1) : undefined
    return { events: events.map((event) => this.notice(event)), next: last?.beginAt ?? null }
  }

  /** @throws PorchlightError `event_not_found` */
  async get(id: string): Promise<EventNotice> {
    return this.notice(await this.#options.store.get(id))
  }

  notice(event: StoredEvent): EventNotice {
    return {
      type: 'event',
      eventId: event.id,
      camera: event.camera,
      cameraTitle: this.#options.title(event.camera),
      kind: event.kind,
      begin: event.beginAt,
      end: event.endAt,
      hasStill: event.hasStill,
      protected: event.protected,
    }
  }

  /** Waits for what is being stored. Open events stay open in the store. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    for (const open of this.#open.values()) clearTimeout(open.timer)
    this.#open.clear()
    await this.#storing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #beginOrGoOn(camera: string, message: EventSign): void {
    const open = this.#open.get(message.eventId)
    if (open) {
      open.lastAt = Math.max(open.lastAt, message.at)
      this.#arm(open)
      return
    }
    if (!this.#known.add(message.eventId)) {
      if (message.phase === 'active') this.#inOrder(() => this.#reopen(camera, message))
      return
    }
    // An `active` whose begin got lost on the way begins the event as well.
    const { prerollMs, now, metrics, log } = this.#options
    const event: StoredEvent = {
      id: message.eventId,
      camera,
      kind: message.kind,
      beginAt: message.at,
      endAt: null,
      recordFrom: message.at - prerollMs,
      recordTo: null,
      hasStill: false,
      protected: false,
    }
    const late = now() - message.at > lateMs
    metrics.events.inc({ kind: event.kind })
    log.info({ event: event.id, camera: event.camera, kind: event.kind, late }, 'event began')
    this.#track(event, message.at)
    this.#put(event)
    this.#began(event, { device: deviceOf(event), offer: message.offer, late, resumed: false })
  }

  #end(camera: string, message: EventSign): void {
    const open = this.#open.get(message.eventId)
    if (open) this.#finish(open, message.at)
    // Ended already for being quiet, and now the device says when it really was.
    else this.#inOrder(() => this.#endLate(camera, message))
  }

  async #endLate(camera: string, message: EventSign): Promise<void> {
    const event = await this.#options.store.find(message.eventId)
    if (event?.camera !== camera || event.endAt === null || event.endAt >= message.at) return
    const later = { ...event, endAt: message.at, recordTo: message.at + this.#options.postrollMs }
    await this.#options.store.put(later)
    this.#tell('ended', later)
  }

  /** It was thought over, and goes on: the link was away for a while. */
  async #reopen(camera: string, message: EventSign): Promise<void> {
    const event = await this.#options.store.find(message.eventId)
    if (event?.camera !== camera || event.endAt === null || event.endAt >= message.at) return
    if (this.#closed || this.#open.has(event.id)) return
    const again = { ...event, endAt: null, recordTo: null }
    await this.#options.store.put(again)
    this.#track(again, message.at)
    this.#began(again, { device: deviceOf(again), offer: message.offer, late: false, resumed: true })
  }

  #track(event: StoredEvent, lastAt: number): void {
    const open: Open = { event, lastAt, timer: setTimeout(() => undefined, 0) }
    this.#open.set(event.id, open)
    this.#arm(open)
  }

  #arm(open: Open): void {
    const { quietMs, ringMs } = this.#options
    clearTimeout(open.timer)
    const ring = open.event.kind === 'ring'
    open.timer = setTimeout(() => this.#finish(open, open.lastAt + (ring ? ringMs : 0)), ring ? ringMs : quietMs)
  }

  #finish(open: Open, at: number): void {
    clearTimeout(open.timer)
    this.#open.delete(open.event.id)
    const endAt = Math.max(at, open.event.beginAt)
    const event = { ...open.event, endAt, recordTo: endAt + this.#options.postrollMs }
    this.#options.log.info({ event: event.id, camera: event.camera }, 'event ended')
    this.#put(event)
    this.#tell('ended', event)
  }

  #began(event: StoredEvent, context: BeginContext): void {
    for (const listener of this.#options.listeners) {
      this.#guarded(listener.name, event.id, () => listener.began?.({ ...event }, context))
    }
  }

  #tell(what: 'ended' | 'still' | 'protected', event: StoredEvent): void {
    for (const listener of this.#options.listeners) {
      this.#guarded(listener.name, event.id, () => listener[what]?.({ ...event }))
    }
  }

  #guarded(listener: string, event: string, call: () => void | Promise<void> | undefined): void {
    const failed = (error: unknown) =>
      this.#options.log.error({ err: error, listener, event }, 'an event could not be passed on')
    try {
      call()?.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #put(event: StoredEvent): void {
    this.#inOrder(() => this.#options.store.put(event))
  }

  /** One step after the other, in the order of arrival. */
  #inOrder(step: () => Promise<void>): void {
    this.#storing = this.#storing
      .then(step)
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'an event could not be stored'))
  }
}

function deviceOf(event: StoredEvent): string {
  return splitCameraId(event.camera).device
}
