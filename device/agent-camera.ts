import type { ErrorCode } from '@porchlight/proto/errors.ts'
import type { Identity } from '@porchlight/proto/identity/keys.ts'
import type { CameraState } from '@porchlight/proto/messages/cameras.ts'
import type { Command } from '@porchlight/proto/messages/command.ts'
import type { DeviceMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { SignalDown } from '@porchlight/proto/messages/signal.ts'
import type { Logger } from 'pino'
import { Camera } from './camera/camera.ts'
import type { CameraListener, TalkSink } from './camera/camera-source.ts'
import { createSource } from './camera/open-source.ts'
import { SubStream } from './camera/sub-stream.ts'
import { type CameraConfig, titleOf } from './config.ts'
import { EventFootage } from './footage/event-footage.ts'
import type { FootageUploader } from './footage/uploader.ts'
import type { Link } from './link/link.ts'
import { ProducerSlot, type SlotSession } from './link/producer-slot.ts'
import { MotionDetector } from './motion/motion-detector.ts'
import { PrerollRing } from './preroll/ring.ts'
import { openSpeaker, type Speaker } from './speaker/open-speaker.ts'
import { CameraEvents, type EventTurn } from './triggers/camera-events.ts'
import { defaultActiveEveryMs } from './triggers/event-policy.ts'
import { GpioButton } from './triggers/gpio-button.ts'
import type { Engine } from './webrtc/engine.ts'
import { AacToOpus } from './webrtc/live-audio.ts'
import { ProducerSession } from './webrtc/producer-session.ts'

/** A detector in the middle of an event that says nothing for so long beyond its hold has lost the end, ms. */
const motionQuietMs = 30_000

export interface AgentCameraOptions {
  config: CameraConfig
  /** Name of the device. */
  device: string
  bootId: string
  identity: Identity
  gatewayKey: string
  /** For the next session. */
  iceServers: () => readonly string[]
  /** What is recorded of it to begin with. */
  mode: DeviceMode
  ringHoldMs: number
  engine: Engine
  ffmpeg: { path: string } | undefined
  link: Link
  uploader: FootageUploader
  now: () => number
  random: () => number
  /** Knows device and camera. */
  log: Logger
  /** Knows the device. */
  deviceLog: Logger
  /** Something in `state` has changed. */
  changed(): void
}

/** Everything about one camera: its stream, its pre-roll, what is seen and rung at it, its session and its footage. */
export class AgentCamera implements AsyncDisposable {
  readonly name: string
  readonly ring: PrerollRing
  readonly #options: AgentCameraOptions
  readonly #camera: Camera
  readonly #sub: SubStream | undefined
  readonly #speaker: Speaker
  readonly #motion: MotionDetector | undefined
  readonly #events: CameraEvents
  readonly #slot: ProducerSlot
  readonly #footage: EventFootage
  readonly #button: GpioButton | undefined
  #motionCode: ErrorCode | undefined
  #buttonCode: ErrorCode | undefined
  #codec: string | undefined
  /** Events and their offers go out in order. */
  #telling: Promise<void> = Promise.resolve()
  /** How the newest session went. */
  lastSession: { live: boolean; ended?: string } | undefined
  sessions = 0

  constructor(options: AgentCameraOptions) {
    const { config, ffmpeg, now, random, log, uploader } = options
    this.#options = options
    this.name = config.name
    const prerollMs = config.preroll.seconds * 1000
    this.ring = new PrerollRing(config.preroll)
    this.#slot = new ProducerSlot({
      open: () => this.#open(),
      on: {
        begins: () => this.#footage.sessionBegins(),
        live: (firstFrame) => {
          this.lastSession = { live: true }
          this.#footage.sessionLive(firstFrame)
        },
        ended: (reason) => {
          this.lastSession = { live: this.lastSession?.live ?? false, ended: reason }
          this.#footage.sessionEnded()
        },
      },
      log,
    })
    this.#footage = new EventFootage({
      ring: this.ring,
      prerollMs,
      taken: uploader.taken(config.name),
      deliver: (span) => uploader.enqueue(config.name, span),
      now,
    })
    this.#events = new CameraEvents({
      limits: {
        ringHoldMs: options.ringHoldMs,
        activeEveryMs: defaultActiveEveryMs,
        motionQuietMs: config.motion.holdSeconds * 1000 + motionQuietMs,
      },
      now,
      tell: (turn) => this.#tell(turn),
    })
    this.#camera = new Camera({ source: createSource(config.source, { log, now, random }), random, log })
    this.#speaker = openSpeaker(config.speaker, { cameraTalk: () => this.#camera.talk, ffmpeg, log })
    if (config.motion.enabled) {
      this.#motion = new MotionDetector({
        ffmpeg,
        config: config.motion,
        now,
        random,
        log,
        on: {
          begin: (at) => this.#events.put({ type: 'motion-begin', at }),
          active: (at) => this.#events.put({ type: 'motion-active', at }),
          end: (at) => this.#events.put({ type: 'motion-end', at }),
        },
        unavailable: (code) => this.#motionUnavailable(code),
      })
    }
    const subSource = createSource(config.source, { log, now, random }, 'sub')
    if (subSource !== undefined) this.#sub = new SubStream(subSource, this.#subListener, random, log)
    this.#camera.addListener(this.#listener)
    this.#camera.onState(() => {
      // What is to be delivered of it was taken out when the session ended.
      if (this.#camera.isOff) this.ring.clear()
      options.changed()
    })
    if (config.button !== undefined) {
      this.#button = new GpioButton({
        button: config.button,
        now,
        random,
        log,
        pressed: () => this.press(),
        state: (code) => {
          this.#buttonCode = code
          options.changed()
        },
      })
    }
    this.record(options.mode)
  }

  /** What is recorded of the camera from now on. `off` lets it go: a ring still is an event, without a picture. */
  record(mode: DeviceMode): void {
    const on = mode !== 'off'
    if (!on) {
      this.#events.put({ type: 'motion-lost', at: this.#options.now() })
      this.#slot.end()
    }
    this.#camera.switchOn(on)
    this.#sub?.switchOn(on)
    // WIRE HERE: this.#footage.everything(mode === 'continuous'); and this.#footage.flush() right after #slot.end() above.
  }

  /** Somebody rings. Works whatever motion does. */
  press(): void {
    this.#options.log.info('ring')
    this.#events.put({ type: 'ring', at: this.#options.now() })
  }

  get state(): CameraState {
    const { config } = this.#options
    const { video, audio } = this.#camera.format
    const error = this.#camera.error
    const aacUnheard = audio?.codec === 'aac' && this.#options.ffmpeg === undefined ? 'ffmpeg_missing' : undefined
    const codes = [...this.#camera.notes, this.#motionCode, this.#buttonCode, aacUnheard]
    return {
      camera: config.name,
      title: titleOf(config),
      kind: config.kind,
      state: this.#camera.state,
      ...(error !== undefined && { error: error.code }),
      ...(video !== undefined && { video: { codec: video.codec, width: video.width, height: video.height } }),
      ...(audio !== undefined && { audio: audio.codec }),
      ...(this.#speaker.sink !== undefined && { talk: this.#speaker.sink.codec }),
      motion: this.#motion === undefined ? 'off' : this.#motionCode === undefined ? 'on' : 'unavailable',
      notes: [...new Set(codes.filter((code) => code !== undefined))].slice(0, 16),
    }
  }

  /** Whether a session to the gateway lives or is being made. */
  get streaming(): boolean {
    return this.#slot.busy
  }

  /** What the uplink bears beside the session, bit/s; undefined: no session, or nothing has shown where it ends. */
  get spareRate(): number | undefined {
    return this.#slot.spareRate
  }

  /** Opens a session where none lives; resolves when its offer is out. Never throws. */
  async stream(): Promise<void> {
    const offer = await this.#slot.offer()
    if (offer === undefined) return
    try {
      await this.#options.link.sendSignal({ type: 'offer', session: offer.session, seq: 0, offer })
    } catch (error) {
      this.#options.log.info({ err: error }, 'the offer did not go out')
      this.#slot.end()
    }
  }

  command(command: Extract<Command, { type: 'stream' | 'footage' }>): void {
    if (command.type === 'stream') {
      void this.stream()
      return
    }
    // Frames of an earlier boot are gone with it.
    if (command.bootId !== this.#options.bootId) return
    for (const [from, to] of this.#options.uploader.taken(this.name).missing(command.fromFrame, command.toFrame)) {
      const span = this.ring.range(from, to)
      if (span.units.length > 0) this.#options.uploader.enqueue(this.name, span)
    }
  }

  signal(signal: SignalDown): void {
    this.#slot.handle(signal)
  }

  /** Ends open events, the session, the children and the camera. Idempotent. */
  async close(): Promise<void> {
    await this.#button?.close()
    await this.#motion?.close()
    this.#events.close()
    await this.#telling
    this.#slot.close()
    await Promise.all([this.#sub?.close(), this.#camera.close(), this.#speaker.close()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  readonly #subListener: Pick<CameraListener, 'format' | 'accessUnit'> = {
    format: (video) => this.#motion?.format(video),
    accessUnit: (unit) => {
      this.#slot.accessUnit(unit, 'sub')
      this.#motion?.accessUnit(unit)
    },
  }

  readonly #listener: CameraListener = {
    format: (video, audio) => {
      this.ring.format(video, audio)
      if (this.#codec !== undefined && video !== undefined && video.codec !== this.#codec) this.#slot.end()
      this.#codec = video?.codec ?? this.#codec
      if (this.#sub === undefined) this.#motion?.format(video)
    },
    accessUnit: (unit) => {
      this.#slot.accessUnit(unit)
      this.ring.accessUnit(unit)
      this.#footage.accessUnit(unit)
      if (this.#sub === undefined) this.#motion?.accessUnit(unit)
    },
    audioFrame: (frame) => {
      this.#slot.audioFrame(frame)
      this.ring.audioFrame(frame)
    },
    note: () => undefined, // told with the state
  }

  #tell(turn: EventTurn): void {
    const { link, log } = this.#options
    const offering = turn.phase === 'begin' && link.online ? this.#slot.offer() : undefined
    if (turn.phase === 'begin') this.#footage.begin(turn.at)
    if (turn.phase === 'end') this.#footage.end(turn.at)
    if (turn.phase !== 'active') log.info({ event: turn.eventId, kind: turn.kind, at: turn.at }, turn.phase)
    const frame = this.ring.newestFrame
    const body = { ...turn, camera: this.name, ...(frame !== undefined && { frame }) }
    this.#telling = this.#telling.then(async () => {
      const offer = await offering
      link.publishEvent({ ...body, ...(offer !== undefined && { offer }) })
      if (offer !== undefined && !link.online) this.#slot.end()
    })
  }

  #open(): SlotSession | undefined {
    const { engine, device, bootId, identity, gatewayKey, iceServers, ffmpeg, link, now, random } = this.#options
    // The session names its camera itself.
    const log = this.#options.deviceLog
    const { video, audio } = this.#camera.format
    if (video === undefined || this.ring.currentGop().units.length === 0) return undefined
    this.sessions += 1
    this.lastSession = { live: false }
    return new ProducerSession({
      engine,
      device,
      camera: this.name,
      bootId,
      identity,
      gatewayKey,
      ring: this.ring,
      formats: { video, audio },
      sub: this.#sub?.layerOf(video),
      ...(ffmpeg !== undefined && {
        liveAudio: (format, onFrame) => new AacToOpus({ ffmpeg, log, format, onFrame }),
      }),
      talk: this.#talkSink(),
      iceServers: iceServers(),
      now,
      random,
      log,
      send: (body) => link.sendSignal(body),
      onPli: (layer) => (layer === 'main' ? this.#camera : this.#sub)?.requestKeyframe(),
      onDropped: (from, to) => this.#footage.notSent(from, to),
    })
  }

  /** The backchannel may come back as another one while the session lives. */
  #talkSink(): TalkSink | undefined {
    const sink = this.#speaker.sink
    if (sink === undefined) return undefined
    const { codec, clockRate } = sink
    const send = (data: Uint8Array, timestamp: number) => {
      const current = this.#speaker.sink
      if (current?.codec === codec) current.send(data, timestamp)
    }
    return { codec, clockRate, send }
  }

  #motionUnavailable(code: ErrorCode | undefined): void {
    this.#motionCode = code
    if (code !== undefined) this.#events.put({ type: 'motion-lost', at: this.#options.now() })
    this.#options.changed()
  }
}
