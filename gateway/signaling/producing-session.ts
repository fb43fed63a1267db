import { asPorchlightError, type ErrorCode } from '@porchlight/proto/errors.ts'
import { isRtcp } from '@porchlight/proto/media/rtp.ts'
import type { Logger } from 'pino'
import { type SessionReport, sumOfKnown } from '../metrics/session-report.ts'
import { type LineName, Producer } from '../sfu/producer.ts'
import type { EngineSession, TransportParameters, TransportState, WebRtcEngine } from '../webrtc/engine.ts'
import { writeAnswer } from './answer-sdp.ts'
import type { ProducerPlan } from './producer-plan.ts'
import type { SessionBook } from './session-book.ts'
import { SessionMachine, type SessionState, type Timers } from './session-machine.ts'
import { StageClock } from './stage-clock.ts'

export type ProducerEndReason = ErrorCode | 'closed' | 'idle' | 'superseded' | 'peer_closed' | 'device_gone'

export interface ProducingSessionOptions {
  id: string
  /** `{device}.{camera}` */
  camera: string
  plan: ProducerPlan
  /** Names the numbering of frames where whoever sends numbers them. */
  run: string
  engine: WebRtcEngine
  /** ms, monotone. */
  now: () => number
  /** ms since the Unix epoch. */
  wallNow: () => number
  /** Of this session. */
  log: Logger
  timers?: Timers
  /** Where the session is entered for its figures. */
  book?: SessionBook
  /** Live for the first time: the producer may be published. */
  onLive(producer: Producer): void
  onEnded(reason: ProducerEndReason): void
}

/** Media that came before the proof, packets: about two seconds of a strong camera. */
const mostEarlyPackets = 3_000

/**
 * One session with somebody who sends, whoever it is and however the offer came: transport, states, and a producer once the
 * session is live. What comes before that is held back, and thrown away if the session never is.
 */
export class ProducingSession {
  readonly #options: ProducingSessionOptions
  readonly #log: Logger
  readonly #machine: SessionMachine
  /** Lines that we receive, by mid. */
  readonly #lines = new Map<string, LineName>()
  readonly #engineSession: EngineSession
  readonly #stages: StageClock
  readonly #since: number
  readonly #leaveBook: (() => void) | undefined
  #producer: Producer | undefined
  #early: { mid: string; bytes: Uint8Array }[] = []
  #ended = false

  /** @throws PorchlightError `sdp_invalid` */
  constructor(options: ProducingSessionOptions) {
    const { id, plan, now, log } = options
    this.#options = options
    this.#log = log
    this.#stages = new StageClock(now, now())
    this.#since = options.wallNow()
    for (const line of ['video', 'sub', 'audio'] as const) {
      const mid = plan[line]?.mid
      if (mid !== undefined) this.#lines.set(mid, line)
    }
    this.#engineSession = options.engine.answer(id, plan.remote, plan.tracks, {
      state: (state) => this.#transport(state),
      path: () => this.#stages.reached('path'),
      packet: (mid, bytes) => this.#packet(mid, bytes),
      open: () => undefined,
    })
    this.#machine = new SessionMachine(
      (state) => this.#entered(state),
      (state) => {
        this.#log.info({ state }, 'producing session timed out')
        this.end('session_timeout')
      },
      options.timers,
    )
    this.#leaveBook = options.book?.add(this)
  }

  get state(): SessionState {
    return this.#machine.state
  }

  get producer(): Producer | undefined {
    return this.#producer
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Our half of the transport, and the answer. @throws PorchlightError; the session is then over */
  async answer(): Promise<{ local: TransportParameters; sdp: string }> {
    try {
      const local = await this.#engineSession.local
      return { local, sdp: writeAnswer(this.#options.plan.sections, local) }
    } catch (thrown) {
      const error = asPorchlightError(thrown)
      this.#log.warn({ err: error }, 'offer could not be answered')
      this.end(error.code)
      throw error
    }
  }

  /** The answer is on its way. */
  answered(): void {
    this.#stages.reached('answered')
    this.#machine.event('answered')
  }

  /** Whoever sends has proven to be who it says, and to mean our answer: its media is believed. */
  proven(): void {
    this.#machine.event('proven')
  }

  addRemoteCandidate(candidate: string, mid: string): void {
    this.#engineSession.addRemoteCandidate(candidate, mid)
  }

  #transport(state: TransportState): void {
    if (state === 'connected') {
      this.#stages.reached('keys')
      this.#machine.event('connected')
    } else if (state === 'disconnected') this.#machine.event('lost')
    else if (state === 'failed' || state === 'closed') this.end('session_ended')
  }

  #entered(state: SessionState): void {
    this.#log.debug({ state }, 'producing session')
    if (state === 'live' && !this.#producer) this.#begin()
  }

  #begin(): void {
    const { plan, camera, run, now, wallNow } = this.#options
    const { video, sub, audio, talk } = plan
    const mids = { video: video?.mid ?? '', sub: sub?.mid ?? '', audio: audio?.mid ?? '', talk: talk?.mid ?? '' }
    const producer = new Producer({
      camera,
      // Frames that we count ourselves begin anew with each session, so their numbering is the session's.
      run: video?.format.frameNumberId !== undefined ? run : this.#options.id,
      video: video?.format,
      sub: sub?.format,
      audio: audio?.format,
      talk: talk?.format,
      send: (line, bytes) => {
        this.#engineSession.send(mids[line], bytes)
      },
      ...{ now, wallNow, log: this.#log },
    })
    this.#producer = producer
    this.#options.onLive(producer)
    const early = this.#early
    this.#early = []
    for (const { mid, bytes } of early) this.#packet(mid, bytes)
  }

  #packet(mid: string, bytes: Uint8Array): void {
    const producer = this.#producer
    if (mid === this.#options.plan.video?.mid && !isRtcp(bytes)) this.#stages.reached('media')
    if (!producer) {
      if (this.#early.length < mostEarlyPackets && !this.#ended) this.#early.push({ mid, bytes })
      return
    }
    const line = this.#lines.get(mid)
    if (line) producer.packet(line, bytes)
  }

  /** What is known of the session by now. */
  report(): SessionReport {
    const { id, camera, plan, now } = this.#options
    const { video, audio, talk } = plan
    const producer = this.#producer
    return {
      id,
      camera,
      role: 'producer',
      state: this.#machine.state,
      since: this.#since,
      remoteAddress: this.#engineSession.remoteAddress ?? null,
      codecs: {
        video: video?.format.codec ?? null,
        audio: audio?.format.codec ?? null,
        talk: talk?.format.codec ?? null,
      },
      layer: 'main',
      bitrate: producer?.traffic.bitrate(now()) ?? null,
      packetsSent: producer?.talk?.packets ?? 0,
      packetsReceived: producer?.traffic.packets ?? 0,
      packetsResent: 0,
      lost: sumOfKnown([producer?.video?.report.lost, producer?.audio?.report.lost]),
      lossRatio: producer?.video?.report.lossRatio ?? null,
      rttMs: producer?.video?.losses.measuredMs ?? null,
      jitterMs: producer?.video?.report.jitterMs ?? null,
      nacks: producer?.traffic.nacks ?? 0,
      plis: producer?.traffic.plis ?? 0,
      firs: 0,
      estimate: null,
      stages: this.#stages.stages,
    }
  }

  /** Idempotent. */
  end(reason: ProducerEndReason): void {
    if (this.#ended) return
    this.#ended = true
    this.#early = []
    this.#leaveBook?.()
    this.#machine.event('end')
    this.#producer?.close()
    this.#engineSession
      .close()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'transport not closed cleanly'))
    this.#options.onEnded(reason)
  }
}
