import { type KeyObject, randomInt } from 'node:crypto'
import { asPorchlightError, type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { Identity } from '@porchlight/proto/identity/keys.ts'
import {
  offerStatement,
  type SessionFacts,
  sessionStatement,
  signStatement,
  verifyStatement,
} from '@porchlight/proto/identity/statement.ts'
import { toCameraId } from '@porchlight/proto/ids.ts'
import { isRtcp } from '@porchlight/proto/media/rtp.ts'
import type { Offer, SignalUp } from '@porchlight/proto/messages/signal.ts'
import type { Logger } from 'pino'
import { type SessionReport, sumOfKnown } from '../metrics/session-report.ts'
import { type LineName, Producer } from '../sfu/producer.ts'
import type { EngineSession, TransportState, WebRtcEngine } from '../webrtc/engine.ts'
import { writeAnswer } from './answer-sdp.ts'
import { type DevicePlan, planDevice } from './device-offer.ts'
import type { SessionBook } from './session-book.ts'
import { SessionMachine, type SessionState, type Timers } from './session-machine.ts'
import type { SessionSignal, SignalBody } from './signal-body.ts'
import { StageClock } from './stage-clock.ts'

export type DeviceEndReason = ErrorCode | 'closed' | 'idle' | 'superseded' | 'peer_closed' | 'device_gone'

export interface DeviceSessionOptions {
  engine: WebRtcEngine
  identity: Identity
  device: string
  deviceKey: KeyObject
  offer: Offer
  send(body: SignalBody): void
  /** ms, monotone. */
  now: () => number
  /** ms since the Unix epoch. */
  wallNow: () => number
  log: Logger
  timers?: Timers
  /** Where the session is entered for its figures. */
  book?: SessionBook
  /** Live for the first time: the producer may be published. */
  onLive(session: DeviceSession, producer: Producer): void
  onEnded(session: DeviceSession, reason: DeviceEndReason): void
}

/** Media that came before the proof, packets: about two seconds of a strong camera. */
const mostEarlyPackets = 3_000

/**
 * One session with a device: offer checked, answer signed, media believed only after the device has proven by its own
 * signature that both saw the same fingerprints. What comes in between is held back, and thrown away if no proof follows.
 */
export class DeviceSession implements AsyncDisposable {
  readonly id: string
  readonly device: string
  readonly camera: string
  readonly #options: DeviceSessionOptions
  readonly #log: Logger
  readonly #machine: SessionMachine
  readonly #plan: DevicePlan
  /** Lines that we receive, by mid. */
  readonly #lines = new Map<string, LineName>()
  readonly #engineSession: EngineSession
  readonly #stages: StageClock
  readonly #since: number
  readonly #leaveBook: (() => void) | undefined
  #facts: SessionFacts | undefined
  #producer: Producer | undefined
  #early: { mid: string; bytes: Uint8Array }[] = []
  #lastSequence = -1
  #ownSequence = 0
  #ended = false

  /** @throws PorchlightError `signature_invalid`, `sdp_invalid`, `sdp_mismatch` */
  constructor(options: DeviceSessionOptions) {
    const { offer, device, now } = options
    this.#options = options
    this.id = offer.session
    this.device = device
    this.camera = toCameraId(device, offer.camera)
    this.#log = options.log.child({ session: this.id, camera: this.camera })
    this.#stages = new StageClock(now, now())
    this.#since = options.wallNow()
    this.#plan = planDevice(offer.sdp, randomInt(1, 2 ** 32 - 1))
    for (const line of ['video', 'sub', 'audio'] as const) {
      const mid = this.#plan[line]?.mid
      if (mid !== undefined) this.#lines.set(mid, line)
    }
    const { iceUfrag, fingerprint } = this.#plan.remote
    const statement = offerStatement({
      session: offer.session,
      camera: this.camera,
      nonce: offer.nonce,
      deviceFingerprint: fingerprint,
      deviceUfrag: iceUfrag,
    })
    if (!verifyStatement(statement, offer.signature, options.deviceKey)) throw new PorchlightError('signature_invalid')
    this.#engineSession = options.engine.answer(this.id, this.#plan.remote, this.#plan.tracks, {
      state: (state) => this.#transport(state),
      path: () => this.#stages.reached('path'),
      packet: (mid, bytes) => this.#packet(mid, bytes),
      open: () => undefined,
    })
    this.#machine = new SessionMachine(
      (state) => this.#entered(state),
      (state) => {
        this.#log.info({ state }, 'device session timed out')
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

  /** Sends the signed answer. Failures end the session. */
  async answer(): Promise<void> {
    try {
      const local = await this.#engineSession.local
      const { offer, identity } = this.#options
      const { remote, sections } = this.#plan
      this.#facts = {
        session: this.id,
        camera: this.camera,
        nonce: offer.nonce,
        deviceFingerprint: remote.fingerprint,
        gatewayFingerprint: local.fingerprint,
        deviceUfrag: remote.iceUfrag,
        gatewayUfrag: local.iceUfrag,
      }
      const signature = signStatement(sessionStatement('gateway', this.#facts), identity.privateKey)
      this.#send({ type: 'answer', sdp: writeAnswer(sections, local), signature })
      this.#stages.reached('answered')
      this.#machine.event('answered')
    } catch (thrown) {
      const error = asPorchlightError(thrown)
      this.#log.warn({ err: error }, 'offer could not be answered')
      this.end(error.code)
    }
  }

  /** A signal of the device for this session; what is not newer than the last is dropped (`message_replayed`). */
  handle(message: SignalUp): void {
    if (this.#ended) return
    if (message.seq <= this.#lastSequence) {
      this.#log.info({ code: 'message_replayed', seq: message.seq }, 'signal dropped')
      return
    }
    this.#lastSequence = message.seq
    switch (message.type) {
      case 'offer':
        return
      case 'confirm':
        this.#confirm(message.signature)
        return
      case 'candidates':
        for (const { candidate, mid } of message.candidates) this.#engineSession.addRemoteCandidate(candidate, mid)
        return
      case 'bye':
        this.#finish('peer_closed', false)
    }
  }

  #confirm(signature: string): void {
    const facts = this.#facts
    const valid =
      facts !== undefined && verifyStatement(sessionStatement('device', facts), signature, this.#options.deviceKey)
    if (!valid) {
      this.#log.warn({ code: 'signature_invalid' }, 'the device did not mean our answer')
      this.end('signature_invalid')
      return
    }
    this.#machine.event('proven')
  }

  #transport(state: TransportState): void {
    if (state === 'connected') {
      this.#stages.reached('keys')
      this.#machine.event('connected')
    } else if (state === 'disconnected') this.#machine.event('lost')
    else if (state === 'failed' || state === 'closed') this.end('session_ended')
  }

  #entered(state: SessionState): void {
    this.#log.debug({ state }, 'device session')
    if (state === 'live' && !this.#producer) this.#begin()
  }

  #begin(): void {
    const { video, sub, audio, talk } = this.#plan
    const mids = { video: video?.mid ?? '', sub: sub?.mid ?? '', audio: audio?.mid ?? '', talk: talk?.mid ?? '' }
    const numbered = video?.format.frameNumberId !== undefined
    const producer = new Producer({
      camera: this.camera,
      // Frames that we count ourselves begin anew with each session, so their numbering is the session's.
      run: numbered ? this.#options.offer.bootId : this.id,
      video: video?.format,
      sub: sub?.format,
      audio: audio?.format,
      talk: talk?.format,
      send: (line, bytes) => {
        this.#engineSession.send(mids[line], bytes)
      },
      now: this.#options.now,
      wallNow: this.#options.wallNow,
      log: this.#log,
    })
    this.#producer = producer
    this.#options.onLive(this, producer)
    const early = this.#early
    this.#early = []
    for (const { mid, bytes } of early) this.#packet(mid, bytes)
  }

  #packet(mid: string, bytes: Uint8Array): void {
    const producer = this.#producer
    if (mid === this.#plan.video?.mid && !isRtcp(bytes)) this.#stages.reached('media')
    if (!producer) {
      if (this.#early.length < mostEarlyPackets && !this.#ended) this.#early.push({ mid, bytes })
      return
    }
    const line = this.#lines.get(mid)
    if (line) producer.packet(line, bytes)
  }

  /** What is known of the session by now. */
  report(): SessionReport {
    const { video, audio, talk } = this.#plan
    const producer = this.#producer
    return {
      id: this.id,
      camera: this.camera,
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
      bitrate: producer?.traffic.bitrate(this.#options.now()) ?? null,
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

  #send(body: SessionSignal): void {
    this.#options.send({ ...body, session: this.id, seq: this.#ownSequence++ })
  }

  /** Ends the session and tells the device why. Idempotent. */
  end(reason: DeviceEndReason): void {
    this.#finish(reason, true)
  }

  #finish(reason: DeviceEndReason, tell: boolean): void {
    if (this.#ended) return
    this.#ended = true
    if (tell) this.#send({ type: 'bye', reason })
    this.#early = []
    this.#leaveBook?.()
    this.#machine.event('end')
    this.#producer?.close()
    this.#engineSession
      .close()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'transport not closed cleanly'))
    this.#options.onEnded(this, reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end('closed')
  }
}
