import { randomBytes } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import { credentialOf, lifeMs, may, mustBeAllowed, nameOf, type Subject } from '../auth/subject.ts'
import type { Producer } from '../sfu/producer.ts'
import type { Sfu } from '../sfu/sfu.ts'
import type { WebRtcEngine } from '../webrtc/engine.ts'
import { keepAsking } from './keep-asking.ts'
import { OwnedSessions } from './owned-sessions.ts'
import type { SessionBook } from './session-book.ts'
import type { Timers } from './session-machine.ts'
import { StageClock } from './stage-clock.ts'
import { planViewer } from './viewer-offer.ts'
import { ViewerSession } from './viewer-session.ts'

export interface ViewerLimits {
  /** Sessions in all. */
  sessions: number
  perCamera: number
  /** How long a viewer waits for a camera that is not live yet, ms. */
  producerMs: number
}

export const defaultViewerLimits: ViewerLimits = { sessions: 256, perCamera: 32, producerMs: 8_000 }

export interface ViewersOptions {
  engine: WebRtcEngine
  sfu: Sfu
  /** Asks the camera's device for a stream. */
  want(camera: string): void
  /** @throws PorchlightError `camera_off` where nobody may see the camera. Default: all are on */
  mustBeOn?(camera: string): void
  /** ms, monotone. */
  now: () => number
  /** ms since the Unix epoch, for what people read. */
  wallNow: () => number
  log: Logger
  limits?: Partial<ViewerLimits>
  /** Where sessions are entered for their figures. */
  book?: SessionBook
  timers?: Timers
}

/** Who has asked for a camera and has no session yet. */
interface Waiting {
  camera: string
  subject: Subject
  /** Its reason is why nothing is waited for any more. */
  abort: AbortController
}

/** Who watches: WHEP sessions, and their talk floor. */
export class ViewerSessions implements AsyncDisposable {
  readonly #options: ViewersOptions
  readonly #limits: ViewerLimits
  readonly #sessions = new OwnedSessions<ViewerSession>()
  readonly #waiting = new Set<Waiting>()
  readonly #abort = new AbortController()

  constructor(options: ViewersOptions) {
    this.#options = options
    this.#limits = { ...defaultViewerLimits, ...options.limits }
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /**
   * Answers a WHEP offer; where the camera is not live its device is asked, and waited for.
   * @throws PorchlightError `forbidden`, `sign_in_required`, `session_limit`, `camera_off`, `camera_offline`, `sdp_invalid`,
   *   `sdp_mismatch`, `codec_unsupported`, `session_timeout`
   */
  async join(camera: string, offerSdp: string, subject: Subject): Promise<{ id: string; answer: string }> {
    mustBeAllowed(subject, 'view', camera)
    this.#options.mustBeOn?.(camera)
    const { sfu } = this.#options
    const all = [...this.#sessions, ...this.#waiting]
    const here = all.filter((one) => one.camera === camera).length
    if (all.length >= this.#limits.sessions || here >= this.#limits.perCamera) {
      throw new PorchlightError('session_limit')
    }
    const waiting: Waiting = { camera, subject, abort: new AbortController() }
    this.#waiting.add(waiting)
    const { now, wallNow } = this.#options
    const stages = new StageClock(now, now())
    const since = wallNow()
    try {
      const producer = sfu.producer(camera) ?? (await this.#waitForProducer(camera, waiting.abort.signal))
      waiting.abort.signal.throwIfAborted()
      stages.reached('found')
      const id = randomBytes(12).toString('base64url')
      const session = new ViewerSession({
        id,
        camera,
        subject,
        engine: this.#options.engine,
        sfu,
        producer,
        plan: planViewer(offerSdp, producer),
        lifeMs: lifeMs(subject, wallNow()),
        ...{ stages, since, now, log: this.#options.log },
        ...(this.#options.book ? { book: this.#options.book } : {}),
        ...(this.#options.timers ? { timers: this.#options.timers } : {}),
        onEnded: () => this.#sessions.delete(id),
      })
      this.#sessions.add(session)
      this.#waiting.delete(waiting)
      return { id, answer: await session.answer() }
    } finally {
      this.#waiting.delete(waiting)
    }
  }

  async #waitForProducer(camera: string, signal: AbortSignal): Promise<Producer> {
    const { sfu, want } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<Producer>()
    const stop = sfu.onProducer((id, producer) => {
      if (id === camera && producer) resolve(producer)
    })
    const timer = setTimeout(() => reject(new PorchlightError('camera_offline')), this.#limits.producerMs)
    const ended = AbortSignal.any([signal, this.#abort.signal])
    const aborted = () => reject(ended.reason)
    ended.addEventListener('abort', aborted, { once: true })
    const stopAsking = keepAsking(() => want(camera), this.#options.timers)
    try {
      return await promise
    } finally {
      stop()
      stopAsking()
      clearTimeout(timer)
      ended.removeEventListener('abort', aborted)
    }
  }

  /**
   * Takes a viewer's candidates (RFC 8840).
   * @throws PorchlightError `session_not_found`, `forbidden`, `sdp_invalid`, `ice_restart_unsupported`
   */
  trickle(id: string, fragment: string, subject: Subject): void {
    this.#sessions.trickle(id, fragment, subject)
  }

  /** Ends a session; one that is gone already is no error. @throws PorchlightError `forbidden` */
  leave(id: string, subject: Subject): Promise<void> {
    return this.#sessions.leave(id, subject)
  }

  /** A sign-in has ended: so do the sessions that it opened, and it gets none that it waits for. */
  async signedOut(credentialId: string): Promise<void> {
    const over = new PorchlightError('sign_in_required')
    for (const { subject, abort } of this.#waiting) if (credentialOf(subject)?.id === credentialId) abort.abort(over)
    await this.#sessions.endOf(credentialId)
  }

  /** A camera was switched off: nobody sees it any more, nor waits for it. */
  async switchedOff(camera: string): Promise<void> {
    const off = new PorchlightError('camera_off')
    for (const waiting of this.#waiting) if (waiting.camera === camera) waiting.abort.abort(off)
    await this.#sessions.endCamera(camera)
  }

  /**
   * Takes or renews the talk floor for a session.
   * @returns `until` in ms since the Unix epoch
   * @throws PorchlightError `forbidden`, `session_not_found`, `speaker_none`, `floor_taken`
   */
  take(camera: string, id: string, subject: Subject): { until: number; leaseMs: number } {
    mustBeAllowed(subject, 'talk', camera)
    const session = this.#own(camera, id, subject)
    if (!session.canTalk) throw new PorchlightError('speaker_none')
    const { leaseMs } = this.#options.sfu.floor(camera)
    this.#options.sfu.takeFloor(camera, id, nameOf(subject))
    return { until: this.#options.wallNow() + leaseMs, leaseMs }
  }

  /** Gives the floor back. Idempotent. @throws PorchlightError `forbidden` */
  release(camera: string, id: string, subject: Subject): void {
    if (!this.#sessions.own(id, subject)) return
    this.#own(camera, id, subject)
    this.#options.sfu.releaseFloor(camera, id)
  }

  #own(camera: string, id: string, subject: Subject): ViewerSession {
    const session = this.#sessions.own(id, subject)
    if (!session || session.camera !== camera || !may(subject, 'view', camera)) {
      throw new PorchlightError('session_not_found')
    }
    return session
  }

  /** Ends all sessions. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort(new PorchlightError('session_ended', 'the gateway is stopping'))
    await this.#sessions.endAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
