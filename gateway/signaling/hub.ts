import type { KeyObject } from 'node:crypto'
import { asPorchlightError } from '@porchlight/proto/errors.ts'
import type { Identity } from '@porchlight/proto/identity/keys.ts'
import { splitCameraId, toCameraId } from '@porchlight/proto/ids.ts'
import type { Offer, SignalUp } from '@porchlight/proto/messages/signal.ts'
import type { Logger } from 'pino'
import type { Producer } from '../sfu/producer.ts'
import type { Sfu } from '../sfu/sfu.ts'
import type { WebRtcEngine } from '../webrtc/engine.ts'
import { DeviceSession } from './device-session.ts'
import { keepAsking } from './keep-asking.ts'
import type { ProducerEndReason } from './producing-session.ts'
import type { SessionBook } from './session-book.ts'
import { systemTimers, type Timers } from './session-machine.ts'
import type { CommandBody, SignalBody } from './signal-body.ts'

export interface HubLimits {
  /** Sessions in all. */
  sessions: number
  /** Sessions of one device. */
  perDevice: number
  /** How long a producer that nobody watches or records stays, ms. */
  lingerMs: number
  /** A device is asked for a stream no more often than this, ms. */
  askAgainMs: number
}

export const defaultHubLimits: HubLimits = { sessions: 512, perDevice: 16, lingerMs: 30_000, askAgainMs: 2_000 }

export interface HubOptions {
  engine: WebRtcEngine
  sfu: Sfu
  identity: Identity
  /** The enrolled key of a device; undefined: not enrolled (any more). */
  deviceKey(device: string): Promise<KeyObject | undefined>
  send(device: string, body: SignalBody): void
  /** @throws PorchlightError `camera_off` where nothing is taken of the camera. Default: all are on */
  mustBeOn?(camera: string): void
  command(device: string, body: CommandBody): void
  /** ms, monotone. */
  now: () => number
  /** ms since the Unix epoch. */
  wallNow: () => number
  log: Logger
  limits?: Partial<HubLimits>
  /** Where sessions are entered for their figures. */
  book?: SessionBook
  timers?: Timers
}

/** Session ids that are remembered, so that a replayed offer is not answered twice. */
const rememberedOffers = 2_000

/** Ends after which nobody asks for another session. */
const meantEnds: ReadonlySet<ProducerEndReason> = new Set(['idle', 'closed', 'superseded', 'device_gone', 'camera_off'])

/** The sessions with devices: offers in, answers out, producers published while they are wanted. */
export class SignalingHub implements AsyncDisposable {
  readonly #options: HubOptions
  readonly #limits: HubLimits
  readonly #timers: Timers
  readonly #log: Logger
  readonly #sessions = new Map<string, DeviceSession>()
  /** Ids of offers seen; true while one is being looked at. */
  readonly #seen = new Set<string>()
  readonly #asked = new Map<string, number>()
  readonly #lingering = new Map<string, () => void>()
  /** Cameras whose stream failed while somebody wants it: they are asked until the next offer. */
  readonly #missing = new Map<string, () => void>()
  readonly #stopAudience: () => void
  #closed = false

  constructor(options: HubOptions) {
    this.#options = options
    this.#limits = { ...defaultHubLimits, ...options.limits }
    this.#timers = options.timers ?? systemTimers
    this.#log = options.log
    this.#stopAudience = options.sfu.onAudience((camera) => this.#audience(camera))
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** A device offers media, by signal or inside an event. Never throws: what is wrong is logged and told to the device. */
  async offered(device: string, offer: Offer): Promise<void> {
    if (this.#closed) return
    if (this.#seen.has(offer.session)) {
      this.#log.info({ device, session: offer.session, code: 'message_replayed' }, 'offer dropped')
      return
    }
    this.#remember(offer.session)
    try {
      this.#options.mustBeOn?.(toCameraId(device, offer.camera))
      const deviceKey = await this.#options.deviceKey(device)
      if (this.#closed) return
      // it may have been switched off meanwhile
      this.#options.mustBeOn?.(toCameraId(device, offer.camera))
      if (!deviceKey) {
        this.#log.warn({ device, code: 'message_foreign' }, 'offer of a device that is not enrolled')
        return
      }
      const ofDevice = [...this.#sessions.values()].filter((session) => session.device === device).length
      if (this.#sessions.size >= this.#limits.sessions || ofDevice >= this.#limits.perDevice) {
        this.#refuse(device, offer, 'session_limit')
        return
      }
      const session = this.#open(device, deviceKey, offer)
      await session.answer()
    } catch (thrown) {
      const error = asPorchlightError(thrown)
      this.#log.warn({ device, session: offer.session, err: error }, 'offer refused')
      this.#refuse(device, offer, error.code)
    }
  }

  #remember(session: string): void {
    this.#seen.add(session)
    if (this.#seen.size > rememberedOffers) this.#seen.delete(this.#seen.values().next().value ?? '')
  }

  #refuse(device: string, offer: Offer, reason: string): void {
    this.#options.send(device, { type: 'bye', session: offer.session, seq: 0, reason })
  }

  #open(device: string, deviceKey: KeyObject, offer: Offer): DeviceSession {
    const { engine, identity, now, wallNow, log, book } = this.#options
    const session = new DeviceSession({
      engine,
      identity,
      device,
      deviceKey,
      offer,
      send: (body) => this.#options.send(device, body),
      now,
      wallNow,
      log,
      timers: this.#timers,
      ...(book ? { book } : {}),
      onLive: (live, producer) => this.#live(live, producer),
      onEnded: (ended, reason) => this.#ended(ended, reason),
    })
    // A newer offer takes the place of one that has not come to anything; one that is live stays until the new one is.
    for (const other of this.#sessions.values()) {
      if (other.camera === session.camera && other.state !== 'live') other.end('superseded')
    }
    this.#sessions.set(session.id, session)
    this.#stopAsking(session.camera)
    return session
  }

  #live(session: DeviceSession, producer: Producer): void {
    this.#log.info({ camera: session.camera, session: session.id }, 'camera is live')
    this.#options.sfu.publish(producer)
    for (const other of this.#sessions.values()) {
      if (other !== session && other.camera === session.camera) other.end('superseded')
    }
    this.#audience(session.camera)
  }

  #ended(session: DeviceSession, reason: ProducerEndReason): void {
    this.#log.info({ camera: session.camera, session: session.id, reason }, 'device session ended')
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id)
    // Somebody still watches or records, and the end was not meant: ask for the next one at once, and until it comes.
    const meant = meantEnds.has(reason)
    const { camera } = session
    if (meant || this.#closed || this.#missing.has(camera) || !this.#options.sfu.wanted(camera)) return
    this.#missing.set(
      camera,
      keepAsking(() => this.want(camera), this.#timers),
    )
  }

  #stopAsking(camera: string): void {
    this.#missing.get(camera)?.()
    this.#missing.delete(camera)
  }

  /** A signal of a device. One that belongs to another device's session is dropped (`message_foreign`). */
  handle(device: string, message: SignalUp): void {
    if (message.type === 'offer') {
      if (message.offer.session !== message.session) {
        this.#log.warn({ device, code: 'message_invalid' }, 'offer under another session id')
        return
      }
      // `offered` never rejects; its first step, looking the key up, is the only thing to wait for.
      void this.offered(device, message.offer)
      return
    }
    const session = this.#sessions.get(message.session)
    if (!session) return
    if (session.device !== device) {
      this.#log.warn({ device, session: session.id, code: 'message_foreign' }, 'signal dropped')
      return
    }
    session.handle(message)
  }

  /** Somebody wants to see a camera: asks its device for a stream unless one lives or is being made. */
  want(camera: string): void {
    if (this.#closed) return
    for (const session of this.#sessions.values()) if (session.camera === camera) return
    const now = this.#options.now()
    const asked = this.#asked.get(camera)
    if (asked !== undefined && now - asked < this.#limits.askAgainMs) return
    this.#asked.set(camera, now)
    const { device, camera: name } = splitCameraId(camera)
    this.#options.command(device, { type: 'stream', camera: name })
  }

  #audience(camera: string): void {
    const wanted = this.#options.sfu.wanted(camera)
    if (wanted) {
      this.#lingering.get(camera)?.()
      this.#lingering.delete(camera)
      return
    }
    this.#stopAsking(camera)
    if (this.#lingering.has(camera) || this.#closed) return
    const stop = this.#timers.set(() => {
      this.#lingering.delete(camera)
      if (this.#options.sfu.wanted(camera)) return
      for (const session of this.#sessions.values()) if (session.camera === camera) session.end('idle')
    }, this.#limits.lingerMs)
    this.#lingering.set(camera, stop)
  }

  /** The device has left the broker: what it was about to offer will not come; live media goes on while it flows. */
  deviceGone(device: string): void {
    for (const session of this.#sessions.values()) {
      if (session.device === device && session.state !== 'live' && session.state !== 'interrupted') {
        session.end('device_gone')
      }
    }
  }

  /** A camera was switched off: nothing of it is taken. */
  switchedOff(camera: string): void {
    this.#stopAsking(camera)
    for (const session of this.#sessions.values()) if (session.camera === camera) session.end('camera_off')
  }

  /** The device was unenrolled: nothing of it is taken any more. */
  revoked(device: string): void {
    for (const session of this.#sessions.values()) if (session.device === device) session.end('signature_invalid')
  }

  /** Ends all sessions. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stopAudience()
    for (const stop of this.#lingering.values()) stop()
    this.#lingering.clear()
    for (const camera of [...this.#missing.keys()]) this.#stopAsking(camera)
    for (const session of [...this.#sessions.values()]) session.end('closed')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
