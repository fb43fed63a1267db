import { type KeyObject, randomInt } from 'node:crypto'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import type { Identity } from '@porchlight/proto/identity/keys.ts'
import {
  offerStatement,
  type SessionFacts,
  sessionStatement,
  signStatement,
  verifyStatement,
} from '@porchlight/proto/identity/statement.ts'
import { toCameraId } from '@porchlight/proto/ids.ts'
import type { Offer, SignalUp } from '@porchlight/proto/messages/signal.ts'
import type { Logger } from 'pino'
import type { Producer } from '../sfu/producer.ts'
import type { WebRtcEngine } from '../webrtc/engine.ts'
import { planDevice } from './device-offer.ts'
import type { ProducerPlan } from './producer-plan.ts'
import { type ProducerEndReason, ProducingSession } from './producing-session.ts'
import type { SessionBook } from './session-book.ts'
import type { SessionState, Timers } from './session-machine.ts'
import type { SessionSignal, SignalBody } from './signal-body.ts'

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
  onEnded(session: DeviceSession, reason: ProducerEndReason): void
}

/**
 * One session with a device: offer checked, answer signed, media believed only after the device has proven by its own
 * signature that both saw the same fingerprints.
 */
export class DeviceSession implements AsyncDisposable {
  readonly id: string
  readonly device: string
  readonly camera: string
  readonly #options: DeviceSessionOptions
  readonly #log: Logger
  readonly #plan: ProducerPlan
  readonly #session: ProducingSession
  #facts: SessionFacts | undefined
  #lastSequence = -1
  #ownSequence = 0

  /** @throws PorchlightError `signature_invalid`, `sdp_invalid`, `sdp_mismatch` */
  constructor(options: DeviceSessionOptions) {
    const { offer, device, engine, now, wallNow, timers, book } = options
    this.#options = options
    this.id = offer.session
    this.device = device
    this.camera = toCameraId(device, offer.camera)
    this.#log = options.log.child({ session: this.id, camera: this.camera })
    this.#plan = planDevice(offer.sdp, randomInt(1, 2 ** 32 - 1))
    const { iceUfrag, fingerprint } = this.#plan.remote
    const statement = offerStatement({
      session: offer.session,
      camera: this.camera,
      nonce: offer.nonce,
      deviceFingerprint: fingerprint,
      deviceUfrag: iceUfrag,
    })
    if (!verifyStatement(statement, offer.signature, options.deviceKey)) throw new PorchlightError('signature_invalid')
    this.#session = new ProducingSession({
      ...{ id: this.id, camera: this.camera, plan: this.#plan, run: offer.bootId },
      ...{ engine, now, wallNow, log: this.#log },
      ...(timers ? { timers } : {}),
      ...(book ? { book } : {}),
      onLive: (producer) => options.onLive(this, producer),
      onEnded: (reason) => this.#ended(reason),
    })
  }

  get state(): SessionState {
    return this.#session.state
  }

  get producer(): Producer | undefined {
    return this.#session.producer
  }

  /** Sends the signed answer. Failures end the session. */
  async answer(): Promise<void> {
    try {
      const { local, sdp } = await this.#session.answer()
      const { offer, identity } = this.#options
      const { remote } = this.#plan
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
      this.#send({ type: 'answer', sdp, signature })
      this.#session.answered()
    } catch (thrown) {
      this.end(asPorchlightError(thrown).code)
    }
  }

  /** A signal of the device for this session; what is not newer than the last is dropped (`message_replayed`). */
  handle(message: SignalUp): void {
    if (this.#session.ended) return
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
        for (const { candidate, mid } of message.candidates) this.#session.addRemoteCandidate(candidate, mid)
        return
      case 'bye':
        this.end('peer_closed')
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
    this.#session.proven()
  }

  #send(body: SessionSignal): void {
    this.#options.send({ ...body, session: this.id, seq: this.#ownSequence++ })
  }

  /** Ends the session and tells the device why. Idempotent. */
  end(reason: ProducerEndReason): void {
    this.#session.end(reason)
  }

  #ended(reason: ProducerEndReason): void {
    if (reason !== 'peer_closed') this.#send({ type: 'bye', reason })
    this.#options.onEnded(this, reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end('closed')
  }
}
