import type { SdpFragment } from '@porchlight/proto/media/sdp-fragment.ts'
import type { AudioCodec, VideoCodec } from '@porchlight/proto/messages/cameras.ts'
import type { Logger } from 'pino'
import type { Subject } from '../auth/subject.ts'
import type { Producer } from '../sfu/producer.ts'
import type { WebRtcEngine } from '../webrtc/engine.ts'
import type { OwnedSession } from './owned-sessions.ts'
import type { ProducerPlan } from './producer-plan.ts'
import { type ProducerEndReason, ProducingSession } from './producing-session.ts'
import type { SessionBook } from './session-book.ts'
import type { SessionState, Timers } from './session-machine.ts'
import { Trickle } from './trickle.ts'

export interface PublisherSessionOptions {
  id: string
  camera: string
  subject: Subject
  plan: ProducerPlan & { video: NonNullable<ProducerPlan['video']> }
  engine: WebRtcEngine
  /** ms, monotone. */
  now: () => number
  /** ms since the Unix epoch. */
  wallNow: () => number
  log: Logger
  timers?: Timers
  /** Where the session is entered for its figures. */
  book?: SessionBook
  /** Live for the first time: the producer may be published. */
  onLive(session: PublisherSession, producer: Producer): void
  onEnded(session: PublisherSession): void
}

/** One session of who publishes a camera by WHIP. */
export class PublisherSession implements OwnedSession {
  readonly id: string
  readonly camera: string
  readonly subject: Subject
  /** What is sent. */
  readonly codecs: { video: VideoCodec; audio: AudioCodec | undefined }
  readonly #log: Logger
  readonly #session: ProducingSession
  readonly #trickle: Trickle

  /** @throws PorchlightError `sdp_invalid` */
  constructor(options: PublisherSessionOptions) {
    const { id, camera, plan, engine, now, wallNow, timers, book } = options
    this.id = id
    this.camera = camera
    this.subject = options.subject
    this.codecs = { video: plan.video.format.codec as VideoCodec, audio: plan.audio?.format.codec as AudioCodec }
    this.#log = options.log.child({ session: id, camera })
    this.#session = new ProducingSession({
      ...{ id, camera, plan, run: id, engine, now, wallNow, log: this.#log },
      ...(timers ? { timers } : {}),
      ...(book ? { book } : {}),
      onLive: (producer) => options.onLive(this, producer),
      onEnded: (reason) => {
        this.#log.info({ reason }, 'publisher left')
        options.onEnded(this)
      },
    })
    this.#trickle = new Trickle(plan.remote, plan.video.mid, this.#session)
  }

  get state(): SessionState {
    return this.#session.state
  }

  /** Whether its pictures are taken: a path that was lost a moment ago may come back. */
  get onAir(): boolean {
    return this.state === 'live' || this.state === 'interrupted'
  }

  /** The answer. @throws PorchlightError; the session is then over */
  async answer(): Promise<string> {
    const { sdp } = await this.#session.answer()
    this.#session.answered()
    // Who asked was checked over HTTPS, and the fingerprint came with the request: nothing more is to be proven.
    this.#session.proven()
    return sdp
  }

  trickle(fragment: SdpFragment): void {
    this.#trickle.take(fragment)
  }

  /** Idempotent. */
  async end(reason: ProducerEndReason): Promise<void> {
    this.#session.end(reason)
  }
}
