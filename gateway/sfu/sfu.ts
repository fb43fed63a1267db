import type { Logger } from 'pino'
import type { Consumer } from './consumer.ts'
import { Floor, type FloorHolder } from './floor.ts'
import type { MediaReader, VideoLayer } from './media-reader.ts'
import type { Producer } from './producer.ts'
import { FrameFeed } from './reader.ts'

export interface SfuOptions {
  /** ms, monotone. */
  now: () => number
  log: Logger
}

/** How often consumers with a backlog are served, ms. */
const paceMs = 2

interface Camera {
  producer: Producer | undefined
  consumers: Set<Consumer>
  readers: Set<Subscription>
  floor: Floor | undefined
}

interface Subscription {
  reader: MediaReader
  layer: VideoLayer
  feed: FrameFeed | undefined
}

/** Who sends and who watches: at most one producer per camera, any number of consumers and readers. */
export class Sfu implements AsyncDisposable {
  readonly #options: SfuOptions
  readonly #cameras = new Map<string, Camera>()
  readonly #producerListeners = new Set<(camera: string, producer: Producer | undefined) => void>()
  readonly #audienceListeners = new Set<(camera: string) => void>()
  readonly #floorListeners = new Set<(camera: string, holder: FloorHolder | undefined) => void>()
  readonly #backlog = new Set<Consumer>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: SfuOptions) {
    this.#options = options
  }

  #camera(id: string): Camera {
    let camera = this.#cameras.get(id)
    if (!camera) {
      camera = { producer: undefined, consumers: new Set(), readers: new Set(), floor: undefined }
      this.#cameras.set(id, camera)
    }
    return camera
  }

  producer(camera: string): Producer | undefined {
    return this.#cameras.get(camera)?.producer
  }

  /** Puts a producer in place; one that was there is closed after its audience has moved over. */
  publish(producer: Producer): void {
    const camera = this.#camera(producer.camera)
    const before = camera.producer
    if (before === producer || this.#closed) return
    camera.producer = producer
    producer.onEnd(() => {
      if (camera.producer === producer) this.#replaced(producer.camera, camera, undefined)
    })
    this.#replaced(producer.camera, camera, producer)
    before?.close()
  }

  #replaced(id: string, camera: Camera, producer: Producer | undefined): void {
    camera.producer = producer
    for (const consumer of camera.consumers) consumer.attach(producer)
    if (producer) for (const subscription of camera.readers) this.#feed(subscription, producer)
    for (const listener of this.#producerListeners) listener(id, producer)
  }

  #feed(subscription: Subscription, producer: Producer): void {
    if (subscription.feed) {
      subscription.feed.close()
      subscription.reader.ended()
    }
    subscription.feed = new FrameFeed(producer, subscription.reader, subscription.layer)
  }

  /** Called when a camera gets or loses its producer. */
  onProducer(callback: (camera: string, producer: Producer | undefined) => void): () => void {
    this.#producerListeners.add(callback)
    return () => {
      this.#producerListeners.delete(callback)
    }
  }

  /** Called when somebody begins or ends watching or reading. */
  onAudience(callback: (camera: string) => void): () => void {
    this.#audienceListeners.add(callback)
    return () => {
      this.#audienceListeners.delete(callback)
    }
  }

  viewers(camera: string): number {
    return this.#cameras.get(camera)?.consumers.size ?? 0
  }

  /** Whether anybody watches or reads. */
  wanted(camera: string): boolean {
    const entry = this.#cameras.get(camera)
    return entry !== undefined && entry.consumers.size + entry.readers.size > 0
  }

  /**
   * Feeds a reader from the present producer, or from the next where there is none. After `ended` a later producer of the
   * camera begins anew with `format`, until the returned function is called.
   */
  read(camera: string, reader: MediaReader, layer: VideoLayer = 'video'): () => void {
    const entry = this.#camera(camera)
    const subscription: Subscription = { reader, layer, feed: undefined }
    entry.readers.add(subscription)
    if (entry.producer) subscription.feed = new FrameFeed(entry.producer, reader, layer)
    this.#audience(camera)
    return () => {
      if (!entry.readers.delete(subscription)) return
      subscription.feed?.close()
      this.#audience(camera)
    }
  }

  /** Adds a viewer; the returned function takes it away again. */
  watch(camera: string, consumer: Consumer): () => void {
    const entry = this.#camera(camera)
    entry.consumers.add(consumer)
    consumer.attach(entry.producer)
    this.#audience(camera)
    return () => {
      if (!entry.consumers.delete(consumer)) return
      this.#backlog.delete(consumer)
      consumer.close()
      this.releaseFloor(camera, consumer.session)
      this.#audience(camera)
    }
  }

  #audience(camera: string): void {
    for (const listener of this.#audienceListeners) listener(camera)
  }

  /** A consumer could not send all: it is served every 2 ms until it has. */
  readonly backlog = (consumer: Consumer): void => {
    if (this.#closed) return
    this.#backlog.add(consumer)
    this.#timer ??= setTimeout(() => this.#pace(), paceMs)
  }

  #pace(): void {
    this.#timer = undefined
    for (const consumer of this.#backlog) if (!consumer.pump()) this.#backlog.delete(consumer)
    if (this.#backlog.size > 0) this.#timer = setTimeout(() => this.#pace(), paceMs)
  }

  floor(camera: string): Floor {
    const entry = this.#camera(camera)
    entry.floor ??= new Floor(this.#options.now)
    return entry.floor
  }

  /** Called when a camera's floor is taken, renewed or given back. A lease that runs out is not told. */
  onFloor(callback: (camera: string, holder: FloorHolder | undefined) => void): () => void {
    this.#floorListeners.add(callback)
    return () => {
      this.#floorListeners.delete(callback)
    }
  }

  /** @throws PorchlightError `floor_taken` */
  takeFloor(camera: string, session: string, name: string): FloorHolder {
    const holder = this.floor(camera).take(session, name)
    for (const listener of this.#floorListeners) listener(camera, holder)
    return holder
  }

  releaseFloor(camera: string, session: string): void {
    if (!this.floor(camera).release(session)) return
    for (const listener of this.#floorListeners) listener(camera, undefined)
  }

  /** One packet of a viewer's microphone: goes to the device if that viewer holds the floor. */
  speak(camera: string, session: string, payloadType: number, bytes: Uint8Array): void {
    const entry = this.#cameras.get(camera)
    if (!entry?.floor?.holds(session)) return
    entry.producer?.talk?.speak(session, payloadType, bytes, this.#options.now())
  }

  /** Ends every producer and lets everybody go. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#backlog.clear()
    for (const camera of this.#cameras.values()) {
      camera.producer?.close()
      for (const consumer of camera.consumers) consumer.close()
      for (const subscription of camera.readers) subscription.feed?.close()
      camera.consumers.clear()
      camera.readers.clear()
    }
    this.#producerListeners.clear()
    this.#audienceListeners.clear()
    this.#floorListeners.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
