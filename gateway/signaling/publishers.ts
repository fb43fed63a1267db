import { randomBytes } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import { credentialOf, mustBeAllowed, type Subject } from '../auth/subject.ts'
import type { Sfu } from '../sfu/sfu.ts'
import type { WebRtcEngine } from '../webrtc/engine.ts'
import { OwnedSessions } from './owned-sessions.ts'
import { planPublisher } from './publisher-offer.ts'
import { PublisherSession } from './publisher-session.ts'
import type { SessionBook } from './session-book.ts'
import type { Timers } from './session-machine.ts'

export interface PublishersOptions {
  engine: WebRtcEngine
  sfu: Pick<Sfu, 'publish'>
  /** What is sent at a camera, from now on; undefined: nothing any more. */
  onAir(camera: string, codecs: PublisherSession['codecs'] | undefined): void
  /** @throws PorchlightError `camera_off` where nothing is taken of the camera. Default: all are on */
  mustBeOn?(camera: string): void
  /** ms, monotone. */
  now: () => number
  /** ms since the Unix epoch. */
  wallNow: () => number
  log: Logger
  /** Sessions in all. */
  limit?: number
  /** Where sessions are entered for their figures. */
  book?: SessionBook
  timers?: Timers
}

/** Twice as many as there can be cameras: each may be taken over. */
const defaultLimit = 128

/**
 * Who publishes by WHIP. A camera has one publisher: whoever comes later with its token takes over as soon as its media
 * flows, so that an encoder that starts anew need not wait until its lost session has timed out, and a POST that comes to
 * nothing takes nobody off the air.
 */
export class PublisherSessions implements AsyncDisposable {
  readonly #options: PublishersOptions
  readonly #sessions = new OwnedSessions<PublisherSession>()
  #closed = false

  constructor(options: PublishersOptions) {
    this.#options = options
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /**
   * Answers a WHIP offer.
   * @throws PorchlightError `forbidden`, `sign_in_required`, `camera_off`, `session_limit`, `sdp_invalid`,
   *   `offer_unsupported`, `session_ended`
   */
  async publish(camera: string, offerSdp: string, subject: Subject): Promise<{ id: string; answer: string }> {
    mustBeAllowed(subject, 'publish', camera)
    this.#options.mustBeOn?.(camera)
    const { engine, now, wallNow, log, timers, book, limit = defaultLimit } = this.#options
    if (this.#closed) throw new PorchlightError('session_ended', 'the gateway is stopping')
    const plan = planPublisher(offerSdp)
    // A newer offer takes the place of one that has not come to anything.
    for (const other of this.#of(camera)) if (!other.onAir) await other.end('superseded')
    // it may have been switched off meanwhile
    this.#options.mustBeOn?.(camera)
    if (this.#sessions.size >= limit) throw new PorchlightError('session_limit')
    const id = randomBytes(12).toString('base64url')
    const session = new PublisherSession({
      ...{ id, camera, subject, plan, engine, now, wallNow, log },
      ...(timers ? { timers } : {}),
      ...(book ? { book } : {}),
      onLive: (live, producer) => {
        log.info({ camera, session: id }, 'publisher is live')
        this.#options.sfu.publish(producer)
        for (const other of this.#of(camera)) if (other !== live) void other.end('superseded')
        this.#options.onAir(camera, live.codecs)
      },
      onEnded: () => this.#ended(id, camera),
    })
    this.#sessions.add(session)
    return { id, answer: await session.answer() }
  }

  #of(camera: string): PublisherSession[] {
    return [...this.#sessions].filter((session) => session.camera === camera)
  }

  #ended(id: string, camera: string): void {
    this.#sessions.delete(id)
    if (!this.#of(camera).some(({ onAir }) => onAir)) this.#options.onAir(camera, undefined)
  }

  /**
   * Takes a publisher's candidates (RFC 8840).
   * @throws PorchlightError `session_not_found`, `forbidden`, `sdp_invalid`, `ice_restart_unsupported`
   */
  trickle(id: string, fragment: string, subject: Subject): void {
    this.#sessions.trickle(id, fragment, subject)
  }

  /** Ends a session; one that is gone already is no error. @throws PorchlightError `forbidden` */
  leave(id: string, subject: Subject): Promise<void> {
    return this.#sessions.leave(id, subject)
  }

  /** A camera was switched off: nothing is taken of it. */
  async switchedOff(camera: string): Promise<void> {
    await this.#sessions.endCamera(camera)
  }

  /** Only these credentials (their ids) are still good: what others opened ends. */
  async onlyOf(credentials: ReadonlySet<string>): Promise<void> {
    for (const session of this.#sessions) {
      if (!credentials.has(credentialOf(session.subject)?.id ?? '')) await session.end('sign_in_required')
    }
  }

  /** Ends all sessions. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#sessions.endAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
