import { asPorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Offer, SignalDown } from '@porchlight/proto/messages/signal.ts'
import type { Logger } from 'pino'
import type { LayerName } from '../camera/camera-source.ts'

/** Longest wait for an offer, ms: an event does not wait for it any longer. */
const offerMs = 1_500

/** What the slot needs of a session to the gateway. */
export interface SlotSession {
  readonly id: string
  readonly firstFrame: Promise<number>
  readonly ended: Promise<string>
  /** What the uplink bears beside it, bit/s; undefined while nothing has shown where it ends. */
  readonly spareRate: number | undefined
  offer(): Promise<Offer>
  handle(signal: SignalDown): void
  accessUnit(unit: AccessUnit, layer: LayerName): void
  audioFrame(frame: AudioFrame): void
  close(reason?: 'closed'): void
}

export interface ProducerSlotOptions {
  /** A new session; undefined where there is nothing to send (no keyframe yet). */
  open(): SlotSession | undefined
  on: {
    begins(): void
    /** Number of the first picture sent. */
    live(firstFrame: number): void
    ended(reason: string): void
  }
  log: Logger
}

/** The one session of a camera: at most one lives, the gateway ends it. */
export class ProducerSlot {
  readonly #options: ProducerSlotOptions
  #session: SlotSession | undefined
  #closed = false

  constructor(options: ProducerSlotOptions) {
    this.#options = options
  }

  /** Whether a session lives or is being made. */
  get busy(): boolean {
    return this.#session !== undefined
  }

  /** What the uplink bears beside the session, bit/s; undefined: no session, or nothing has shown where it ends. */
  get spareRate(): number | undefined {
    return this.#session?.spareRate
  }

  /** The offer of a new session; undefined where one lives already, or none can be made now. Never throws. */
  async offer(): Promise<Offer | undefined> {
    if (this.#session !== undefined || this.#closed) return undefined
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => late.resolve(undefined), offerMs)
    let session: SlotSession | undefined
    try {
      session = this.#options.open()
      if (session === undefined) return undefined
      this.#hold(session)
      const offer = await Promise.race([session.offer(), late.promise])
      if (offer === undefined) session.close()
      return offer
    } catch (error) {
      const { code, detail } = asPorchlightError(error)
      this.#options.log.warn({ code, detail }, 'no session can be offered')
      session?.close()
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  handle(signal: SignalDown): void {
    if (signal.session === this.#session?.id) this.#session.handle(signal)
  }

  accessUnit(unit: AccessUnit, layer: LayerName = 'main'): void {
    this.#session?.accessUnit(unit, layer)
  }

  audioFrame(frame: AudioFrame): void {
    this.#session?.audioFrame(frame)
  }

  /** Ends the session (its format has changed, its offer did not go out). A later one may follow. */
  end(): void {
    this.#session?.close()
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true
    this.#session?.close()
  }

  #hold(session: SlotSession): void {
    this.#session = session
    this.#options.on.begins()
    session.firstFrame.then(
      (frame) => {
        if (this.#session === session) this.#options.on.live(frame)
      },
      (error: unknown) => this.#options.log.debug({ err: error }, 'no first frame'),
    )
    void session.ended.then((reason) => {
      if (this.#session !== session) return
      this.#session = undefined
      this.#options.on.ended(reason)
    })
  }
}
