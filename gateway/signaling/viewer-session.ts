import { asPorchlightError, type ErrorCode } from '@porchlight/proto/errors.ts'
import { isRtcp } from '@porchlight/proto/media/rtp.ts'
import type { SdpFragment } from '@porchlight/proto/media/sdp-fragment.ts'
import type { Logger } from 'pino'
import type { Subject } from '../auth/subject.ts'
import { type SessionReport, sumOfKnown } from '../metrics/session-report.ts'
import { Consumer } from '../sfu/consumer.ts'
import type { Producer } from '../sfu/producer.ts'
import type { Sfu } from '../sfu/sfu.ts'
import type { EngineSession, TransportState, WebRtcEngine } from '../webrtc/engine.ts'
import { writeAnswer } from './answer-sdp.ts'
import type { SessionBook } from './session-book.ts'
import { SessionMachine, systemTimers, type Timers } from './session-machine.ts'
import type { StageClock } from './stage-clock.ts'
import { Trickle } from './trickle.ts'
import type { ViewerPlan } from './viewer-offer.ts'

export interface ViewerSessionOptions {
  id: string
  camera: string
  subject: Subject
  engine: WebRtcEngine
  sfu: Sfu
  /** The one that the plan was made for. */
  producer: Producer
  plan: ViewerPlan
  /** Runs since the viewer asked. */
  stages: StageClock
  /** When the viewer asked, ms since the Unix epoch. */
  since: number
  /** Where the session is entered for its figures. */
  book?: SessionBook
  /** How long the viewer's right to be here still lasts, ms. */
  lifeMs: number
  /** ms, monotone. */
  now: () => number
  log: Logger
  timers?: Timers
  onEnded(reason: ErrorCode | 'closed'): void
}

/** As long as a timer can be, ms: whoever stays for 24 days has to ask anew. */
const longestMs = 2 ** 31 - 1

/** One viewer's session: a consumer of the camera, and a microphone where the camera has a loudspeaker. */
export class ViewerSession implements AsyncDisposable {
  readonly id: string
  readonly camera: string
  readonly subject: Subject
  readonly consumer: Consumer
  readonly #options: ViewerSessionOptions
  readonly #log: Logger
  readonly #machine: SessionMachine
  readonly #engineSession: EngineSession
  readonly #unwatch: () => void
  readonly #stopProducer: () => void
  readonly #stopLife: () => void
  readonly #trickle: Trickle
  readonly #codecs: string
  readonly #leaveBook: (() => void) | undefined
  #talkPackets = 0
  #ended = false

  /** @throws PorchlightError `sdp_invalid` */
  constructor(options: ViewerSessionOptions) {
    const { id, camera, plan, sfu, producer, stages } = options
    this.#options = options
    this.id = id
    this.camera = camera
    this.subject = options.subject
    this.#log = options.log.child({ session: id, camera })
    this.#codecs = codecsOf(producer)
    this.consumer = new Consumer({
      session: id,
      video: plan.video,
      audio: plan.audio,
      send: (mid, bytes) => {
        if (this.#engineSession.send(mid, bytes) && mid === plan.video.mid) stages.reached('media')
      },
      backlog: sfu.backlog,
      now: options.now,
    })
    this.#engineSession = options.engine.answer(id, plan.remote, plan.tracks, {
      state: (state) => this.#transport(state),
      path: () => stages.reached('path'),
      packet: (mid, bytes) => this.#packet(mid, bytes),
      open: (mid) => this.consumer.opened(mid),
    })
    this.#trickle = new Trickle(plan.remote, plan.video.mid, this.#engineSession)
    this.#machine = new SessionMachine(
      (state) => this.#log.debug({ state }, 'viewer session'),
      (state) => {
        this.#log.info({ state }, 'viewer session timed out')
        void this.end('session_timeout')
      },
      options.timers,
    )
    this.#leaveBook = options.book?.add(this)
    this.#stopLife = (options.timers ?? systemTimers).set(
      () => void this.end('sign_in_required'),
      Math.min(options.lifeMs, longestMs),
    )
    this.#unwatch = sfu.watch(camera, this.consumer)
    this.#stopProducer = sfu.onProducer((one, next) => {
      // A camera that comes back with other codecs does not fit what was negotiated: the viewer has to ask anew.
      if (one === camera && next && codecsOf(next) !== this.#codecs) void this.end('session_ended')
    })
  }

  get canTalk(): boolean {
    return this.#options.plan.talk !== undefined
  }

  /** The answer for the viewer. @throws PorchlightError; the session is then over */
  async answer(): Promise<string> {
    try {
      const local = await this.#engineSession.local
      this.#options.stages.reached('answered')
      this.#machine.event('answered')
      // Who asked was checked over HTTPS, and the fingerprint came with the request: nothing more is to be proven.
      this.#machine.event('proven')
      return writeAnswer(this.#options.plan.sections, local)
    } catch (thrown) {
      const error = asPorchlightError(thrown)
      await this.end(error.code)
      throw error
    }
  }

  /**
   * Takes candidates that the viewer found after its offer.
   * @throws PorchlightError `ice_restart_unsupported`
   */
  trickle(fragment: SdpFragment): void {
    this.#trickle.take(fragment)
  }

  #transport(state: TransportState): void {
    if (state === 'connected') {
      this.#options.stages.reached('keys')
      this.#machine.event('connected')
    } else if (state === 'disconnected') this.#machine.event('lost')
    else if (state === 'failed' || state === 'closed') void this.end('session_ended')
  }

  #packet(mid: string, bytes: Uint8Array): void {
    const { talk } = this.#options.plan
    if (talk && mid === talk.mid) {
      if (!isRtcp(bytes)) this.#talkPackets++
      this.#options.sfu.speak(this.camera, this.id, talk.payloadType, bytes)
    } else this.consumer.rtcp(mid, bytes)
  }

  /** What is known of the session by now. */
  report(): SessionReport {
    const { plan, producer, stages, since, now } = this.#options
    const { traffic, remote, estimatedBitrate, senders } = this.consumer
    return {
      id: this.id,
      camera: this.camera,
      role: 'viewer',
      state: this.#machine.state,
      since,
      remoteAddress: this.#engineSession.remoteAddress ?? null,
      codecs: {
        video: producer.video?.format.codec ?? null,
        audio: (plan.audio && producer.audio?.format.codec) ?? null,
        talk: (plan.talk && producer.talk?.format.codec) ?? null,
      },
      layer: this.consumer.layer,
      bitrate: traffic.bitrate(now()) ?? null,
      packetsSent: traffic.packets,
      packetsReceived: this.#talkPackets,
      packetsResent: senders.reduce((sum, sender) => sum + sender.resent, 0),
      lost: sumOfKnown([remote.video.lost, remote.audio.lost]),
      lossRatio: remote.video.lossRatio ?? null,
      rttMs: remote.video.rttMs ?? remote.audio.rttMs ?? null,
      jitterMs: remote.video.jitterMs ?? null,
      nacks: traffic.nacks,
      plis: traffic.plis,
      firs: traffic.firs,
      estimate: estimatedBitrate ?? null,
      stages: stages.stages,
    }
  }

  /** Idempotent. */
  async end(reason: ErrorCode | 'closed'): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#log.info({ reason }, 'viewer left')
    this.#leaveBook?.()
    this.#machine.event('end')
    this.#stopLife()
    this.#stopProducer()
    this.#unwatch()
    this.#options.onEnded(reason)
    await this.#engineSession.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('closed')
  }
}

function codecsOf(producer: Producer): string {
  return [producer.video?.format.codec, producer.audio?.format.codec].join()
}
