import { randomBytes, randomInt } from 'node:crypto'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { toCameraId } from '@porchlight/proto/ids.ts'
import type { AccessUnit, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { Offer, SignalDown } from '@porchlight/proto/messages/signal.ts'
import type { Logger } from 'pino'
import type { LayerName } from '../camera/camera-source.ts'
import type { EngineSession, SessionState } from './engine.ts'
import { audioLineCodec, mids, offerLines, videoLineCodec } from './offer-lines.ts'
import { ProducerMedia } from './producer-media.ts'
import type { ProducerStats } from './producer-media-options.ts'
import {
  type EndReason,
  type GopSource,
  type ProducerSessionOptions,
  type ProducerState,
  sessionDeadlines,
} from './producer-options.ts'
import { confirmAnswer, type ProofContext, signOffer } from './producer-proofs.ts'
import { SessionSignals } from './session-signals.ts'
import { SessionSound } from './session-sound.ts'
import { TalkReceiver } from './talk-receiver.ts'

export type { EndReason, GopSource, ProducerSessionOptions, ProducerState, SignalBody } from './producer-options.ts'

/** One WebRTC session of one camera to the gateway, offered by us. */
export class ProducerSession implements AsyncDisposable {
  readonly id = randomBytes(12).toString('base64url')
  /** Number of the first picture sent live; rejects never, and resolves only where one was sent. */
  readonly firstFrame: Promise<number>
  /** Resolves when the session is over; never rejects. */
  readonly ended: Promise<EndReason>
  readonly #options: ProducerSessionOptions
  readonly #log: Logger
  readonly #proof: ProofContext
  readonly #firstFrame = Promise.withResolvers<number>()
  readonly #ended = Promise.withResolvers<EndReason>()
  readonly #engine: EngineSession
  readonly #media: ProducerMedia
  readonly #sound: SessionSound
  readonly #signals: SessionSignals
  readonly #talk: TalkReceiver | undefined
  #state: ProducerState = 'new'
  #deadline: NodeJS.Timeout | undefined
  #offerSdp = ''
  #seqDown = -1
  #confirmed = false
  #open = false

  constructor(options: ProducerSessionOptions) {
    this.#options = options
    this.firstFrame = this.#firstFrame.promise
    this.ended = this.#ended.promise
    this.#log = options.log.child({ camera: options.camera, session: this.id })
    const { device, camera, identity, gatewayKey, formats, ring, sub: small } = options
    const nonce = randomBytes(18).toString('base64url')
    this.#proof = { identity, gatewayKey, session: this.id, camera: toCameraId(device, camera), nonce }
    this.#signals = new SessionSignals({
      session: this.id,
      send: (body) => options.send(body),
      tellsCandidates: () => this.#state === 'connecting' || this.#state === 'live',
      log: this.#log,
    })
    this.#sound = new SessionSound(options, (frame) => {
      if (this.#state === 'live') this.#media.audioFrame(frame)
    })
    this.#talk = options.talk && new TalkReceiver(options.talk)
    const picture = (format: VideoFormat, source: GopSource, ssrc: number) => {
      const keyframe = source.currentGop().units.find((unit) => unit.keyframe)
      return { codec: videoLineCodec(format, keyframe), ssrc }
    }
    // Apart from each other: no two lines have the same source.
    const video = picture(formats.video, ring, randomInt(1, 2 ** 30))
    const sub = small && picture(small.format, small.ring, randomInt(2 ** 30, 2 ** 31))
    const sound = this.#sound.line
    const audio = sound && {
      codec: audioLineCodec(sound.codec),
      ssrc: randomInt(2 ** 31, 2 ** 32),
      clockRate: sound.clockRate,
    }
    this.#media = new ProducerMedia({
      video,
      sub,
      audio,
      send: (mid, packet) => this.#engine.send(mid, packet),
      on: {
        firstFrame: (frame) => this.#firstFrame.resolve(frame),
        keyframeWanted: (layer) => options.onPli?.(layer),
        silent: () => this.close('session_timeout'),
        dropped: (from, to) => options.onDropped?.(from, to),
      },
      now: options.now,
      random: options.random ?? Math.random,
      ...(options.startRate === undefined ? {} : { startRate: options.startRate }),
    })
    const media = offerLines({
      video: video.codec,
      videoSsrc: video.ssrc,
      audio: audio?.codec,
      audioSsrc: audio?.ssrc ?? 0,
      talk: options.talk?.codec,
      sub,
    })
    this.#engine = options.engine.open(
      {
        media,
        iceServers: options.iceServers,
        ...(options.bindAddress === undefined ? {} : { bindAddress: options.bindAddress }),
      },
      {
        state: (state) => this.#engineState(state),
        open: () => this.#opened(),
        rtp: (mid, packet) => {
          if (mid === mids.talk && this.#state === 'live') this.#talk?.packet(packet)
        },
        rtcp: (_mid, packet) => this.#media.rtcp(packet),
        candidate: (candidate, mid) => this.#signals.candidate(candidate, mid),
      },
    )
  }

  get state(): ProducerState {
    return this.#state
  }

  get stats(): ProducerStats & { roundTripMs: number | undefined } {
    return { ...this.#media.stats, roundTripMs: this.#engine.roundTripMs }
  }

  /** What the uplink bears beside this session, bit/s; undefined while nothing has shown where it ends. */
  get spareRate(): number | undefined {
    return this.#state === 'live' ? this.#media.spareRate : undefined
  }

  /**
   * The signed offer; it counts as message 0 of the session. Once.
   * @throws PorchlightError `session_ended` or what the engine says
   */
  async offer(): Promise<Offer> {
    if (this.#state !== 'new') throw new PorchlightError('session_ended')
    this.#enter('offered', this.#deadlineMs('answer'))
    try {
      this.#offerSdp = await this.#engine.offer()
      const signature = signOffer(this.#proof, this.#offerSdp)
      const { camera, bootId } = this.#options
      return { session: this.id, camera, bootId, sdp: this.#offerSdp, nonce: this.#proof.nonce, signature }
    } catch (error) {
      const coded = asPorchlightError(error)
      this.#end(coded.code)
      throw coded
    }
  }

  /** Takes a signal of the gateway's. What is late, repeated or of another session is dropped. Never throws. */
  handle(signal: SignalDown): void {
    if (signal.session !== this.id || signal.seq <= this.#seqDown || this.#state === 'ended') return
    this.#seqDown = signal.seq
    switch (signal.type) {
      case 'answer':
        this.#answered(signal.sdp, signal.signature)
        return
      case 'candidates':
        // Only a proven peer's: until then they are not worth a packet.
        if (this.#state === 'offered') return
        for (const { candidate, mid } of signal.candidates) this.#engine.addCandidate(candidate, mid)
        return
      case 'bye':
        this.#log.info({ reason: signal.reason }, 'gateway ended the session')
        this.#end('peer_closed')
    }
  }

  /** A picture of the camera, as it comes. */
  accessUnit(unit: AccessUnit, layer: LayerName = 'main'): void {
    if (this.#state === 'live') this.#picture(unit, layer)
  }

  /** Sound of the camera, as it comes. */
  audioFrame(frame: AudioFrame): void {
    if (this.#state === 'live') this.#sound.push(frame)
  }

  /** Says `bye` and ends. Idempotent. */
  close(reason: EndReason = 'closed'): void {
    if (this.#state === 'ended') return
    if (this.#state !== 'new') this.#signals.bye(reason)
    this.#end(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.#sound.close()
  }

  #answered(sdp: string, signature: string): void {
    if (this.#state !== 'offered' || this.#offerSdp === '') return
    let proof: string
    try {
      proof = confirmAnswer(this.#proof, this.#offerSdp, sdp, signature)
      this.#enter('connecting', this.#deadlineMs('connect'))
      this.#engine.answer(sdp)
    } catch (error) {
      const coded = asPorchlightError(error, 'sdp_invalid')
      this.#log.warn({ err: coded }, 'answer refused')
      this.close(coded.code)
      return
    }
    this.#signals.confirm(proof).then(
      () => {
        this.#confirmed = true
        this.#startWhenReady()
      },
      (error: unknown) => {
        const coded = asPorchlightError(error, 'broker_unreachable')
        this.#log.warn({ err: coded }, 'confirmation not delivered')
        this.#end(coded.code)
      },
    )
  }

  #engineState(state: SessionState): void {
    this.#log.debug({ state }, 'connection')
    if (this.#state === 'ended') return
    if (state === 'failed') this.close('session_timeout')
    else if (state === 'closed') this.#end('peer_closed')
    else if (state === 'disconnected' && this.#state === 'live') this.#arm(this.#deadlineMs('disconnected'))
    else if (state === 'connected' && this.#state === 'live') clearTimeout(this.#deadline)
  }

  #opened(): void {
    this.#open = true
    this.#startWhenReady()
  }

  /** Media only after the PUBACK of `confirm` and on open lines: the gateway takes none before. */
  #startWhenReady(): void {
    if (this.#state !== 'connecting' || !this.#confirmed || !this.#open) return
    this.#enter('live', undefined)
    this.#log.info('live')
    const { units, audio } = this.#options.ring.currentGop()
    for (const frame of audio) this.#sound.push(frame)
    for (const unit of units) this.#picture(unit, 'main')
    for (const unit of this.#options.sub?.ring.currentGop().units ?? []) this.#picture(unit, 'sub')
  }

  #picture(unit: AccessUnit, layer: LayerName): void {
    const { formats, sub } = this.#options
    // A small stream may come as another codec than it was offered as.
    if (unit.codec === (layer === 'main' ? formats.video : sub?.format)?.codec) this.#media.accessUnit(unit, layer)
  }

  #deadlineMs(name: keyof typeof sessionDeadlines): number {
    return this.#options.deadlines?.[name] ?? sessionDeadlines[name]
  }

  #enter(state: ProducerState, deadlineMs: number | undefined): void {
    this.#state = state
    this.#arm(deadlineMs)
  }

  #arm(deadlineMs: number | undefined): void {
    clearTimeout(this.#deadline)
    this.#deadline = deadlineMs === undefined ? undefined : setTimeout(() => this.close('session_timeout'), deadlineMs)
  }

  #end(reason: EndReason): void {
    if (this.#state === 'ended') return
    this.#enter('ended', undefined)
    this.#media.close()
    this.#engine.close()
    this.#sound.close().catch((error: unknown) => this.#log.debug({ err: error }, 'live audio did not close'))
    this.#log.info({ reason }, 'session ended')
    this.#ended.resolve(reason)
  }
}
