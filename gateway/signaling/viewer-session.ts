import { asPorchlightError, type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { SdpFragment } from '@porchlight/proto/media/sdp-fragment.ts'
import type { Logger } from 'pino'
import type { Subject } from '../auth/subject.ts'
import { Consumer } from '../sfu/consumer.ts'
import type { Producer } from '../sfu/producer.ts'
import type { Sfu } from '../sfu/sfu.ts'
import { usefulCandidates } from '../webrtc/candidates.ts'
import type { EngineSession, TransportState, WebRtcEngine } from '../webrtc/engine.ts'
import { writeAnswer } from './answer-sdp.ts'
import { SessionMachine, type Timers } from './session-machine.ts'
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
  /** ms, monotone. */
  now: () => number
  log: Logger
  timers?: Timers
  onEnded(reason: ErrorCode | 'closed'): void
}

/** Candidates taken from one viewer after its offer; a phone has a handful. */
const mostTrickled = 32

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
  readonly #codecs: string
  #trickled = 0
  #ended = false

  /** @throws PorchlightError `sdp_invalid` */
  constructor(options: ViewerSessionOptions) {
    const { id, camera, plan, sfu, producer } = options
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
        this.#engineSession.send(mid, bytes)
      },
      backlog: sfu.backlog,
      now: options.now,
    })
    this.#engineSession = options.engine.answer(id, plan.remote, plan.tracks, {
      state: (state) => this.#transport(state),
      packet: (mid, bytes) => this.#packet(mid, bytes),
      open: (mid) => this.consumer.opened(mid),
    })
    this.#machine = new SessionMachine(
      (state) => this.#log.debug({ state }, 'viewer session'),
      (state) => {
        this.#log.info({ state }, 'viewer session timed out')
        void this.end('session_timeout')
      },
      options.timers,
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
   * Takes candidates that the viewer found after its offer; what is of no use is left out without a word (RFC 9725 §4.3.2).
   * @throws PorchlightError `ice_restart_unsupported` where they belong to another ICE session: the engine has but one
   */
  trickle({ iceUfrag, icePwd, candidates }: SdpFragment): void {
    const { remote, video } = this.#options.plan
    if (iceUfrag !== remote.iceUfrag || icePwd !== remote.icePwd) throw new PorchlightError('ice_restart_unsupported')
    const taken = usefulCandidates(candidates).slice(0, mostTrickled - this.#trickled)
    this.#trickled += taken.length
    for (const candidate of taken) this.#engineSession.addRemoteCandidate(candidate, video.mid)
  }

  #transport(state: TransportState): void {
    if (state === 'connected') this.#machine.event('connected')
    else if (state === 'disconnected') this.#machine.event('lost')
    else if (state === 'failed' || state === 'closed') void this.end('session_ended')
  }

  #packet(mid: string, bytes: Uint8Array): void {
    const { talk } = this.#options.plan
    if (talk && mid === talk.mid) this.#options.sfu.speak(this.camera, this.id, talk.payloadType, bytes)
    else this.consumer.rtcp(mid, bytes)
  }

  /** Idempotent. */
  async end(reason: ErrorCode | 'closed'): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#log.info({ reason }, 'viewer left')
    this.#machine.event('end')
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
