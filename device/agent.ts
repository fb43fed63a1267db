import { join } from 'node:path'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { makeDeviceToken } from '@porchlight/proto/identity/device-token.ts'
import type { CameraState } from '@porchlight/proto/messages/cameras.ts'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { AgentCamera } from './agent-camera.ts'
import type { MeasuredParts } from './agent-metrics.ts'
import type { DeviceConfig } from './config.ts'
import { type Ffmpeg, findFfmpeg } from './ffmpeg/find-ffmpeg.ts'
import { Spool } from './footage/spool.ts'
import { FootageUploader } from './footage/uploader.ts'
import { makeDataDir } from './identity/data-file.ts'
import { openIdentity, readEnrolment } from './identity/device-identity.ts'
import { EpochCounter } from './identity/epoch.ts'
import { newId } from './identity/ids.ts'
import { openLocalToken } from './identity/local-token.ts'
import { Link } from './link/link.ts'
import { OutboxFile } from './link/outbox-file.ts'
import { PinnedAuthority } from './link/pinned-authority.ts'
import { LocalHttp } from './triggers/local-http.ts'
import { agentVersion } from './version.ts'
import { chooseEngine } from './webrtc/choose-engine.ts'
import type { Engine } from './webrtc/engine.ts'
import { IceServers } from './webrtc/ice-servers.ts'

export interface AgentOptions {
  config: DeviceConfig
  env: NodeJS.ProcessEnv
  log: Logger
  /** Device clock, ms since the Unix epoch. */
  now?: () => number
  random?: () => number
  engine?: Engine
}

/** What the agent says of itself: local `/health`, and the doctor. */
export interface AgentHealth {
  device: string
  version: string
  bootId: string
  online: boolean
  /** Why the link is down. */
  error?: string
  /** First line of `ffmpeg -version`; null: none found. */
  ffmpeg: string | null
  /** The WebRTC library that serves. */
  engine: string
  /** Footage that waits on the disk, and why nothing can be added to it; absent where that is switched off. */
  spool?: { bytes: number; files: number; error?: string }
  cameras: (CameraState & { prerollBytes: number; session?: { live: boolean; ended?: string } })[]
}

/**
 * The device agent: cameras, pre-roll, triggers, the link to the gateway, live sessions and footage, wired together. Only
 * this file and agent-camera.ts know everybody.
 */
export class Agent implements AsyncDisposable {
  readonly #parts: AsyncDisposable[] = []
  readonly #cameras: AgentCamera[] = []
  readonly #log: Logger
  readonly #bootId = newId()
  #device = ''
  #engine = ''
  #ffmpeg: Ffmpeg | undefined
  #link: Link | undefined
  #uploader: FootageUploader | undefined
  #http: LocalHttp | undefined
  #closing: Promise<void> | undefined

  private constructor(log: Logger) {
    this.#log = log
  }

  /**
   * Starts everything; the camera and the gateway may come later.
   * @throws PorchlightError `not_enrolled`, `identity_unreadable`, `enrolment_invalid`, `port_in_use`, `config_invalid`,
   *   `engine_unavailable`
   */
  static async start(options: AgentOptions): Promise<Agent> {
    const agent = new Agent(options.log)
    try {
      await agent.#start(options)
      return agent
    } catch (error) {
      await agent.close()
      throw error
    }
  }

  get health(): AgentHealth {
    const error = this.#link?.error
    const spool = this.#uploader?.spooled
    return {
      device: this.#device,
      version: agentVersion,
      bootId: this.#bootId,
      online: this.#link?.online ?? false,
      ...(error !== undefined && { error }),
      ffmpeg: this.#ffmpeg?.version ?? null,
      engine: this.#engine,
      ...(spool !== undefined && { spool }),
      cameras: this.#cameras.map((camera) => ({
        ...camera.state,
        prerollBytes: camera.ring.bytes,
        ...(camera.lastSession !== undefined && { session: camera.lastSession }),
      })),
    }
  }

  /** Base URL of the local HTTP server. */
  get httpUrl(): string {
    return this.#http?.url ?? ''
  }

  /** What live sessions leave of the uplink, bit/s; undefined: plenty. Each has measured it beside the others. */
  get #spareRate(): number | undefined {
    const rates = this.#cameras.map(({ spareRate }) => spareRate).filter((rate) => rate !== undefined)
    return rates.length === 0 ? undefined : Math.min(...rates)
  }

  /** Somebody rings. @throws PorchlightError `camera_not_found` */
  press(name?: string): void {
    const doorbells = this.#cameras.filter((camera) => camera.state.kind === 'doorbell')
    const camera = name === undefined ? (doorbells[0] ?? this.#cameras[0]) : this.#camera(name)
    if (camera === undefined) throw new PorchlightError('camera_not_found', name)
    camera.press()
  }

  /** Opens a session of a camera as if the gateway had asked for it. @throws PorchlightError `camera_not_found` */
  async stream(name: string): Promise<void> {
    const camera = this.#camera(name)
    if (camera === undefined) throw new PorchlightError('camera_not_found', name)
    await camera.stream()
  }

  /** Ends open events, tells the gateway that the device leaves, and closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(options: AgentOptions): Promise<void> {
    const { config, env, now = Date.now, random = Math.random } = options
    makeDataDir(config.dataDir)
    const enrolment = readEnrolment(config.dataDir)
    const identity = await openIdentity(config.dataDir)
    const localToken = await openLocalToken(config.dataDir)
    const epoch = new EpochCounter(config.dataDir, now)
    const authority = new PinnedAuthority(config.dataDir, enrolment.ca)
    const log = this.#log.child({ device: enrolment.device })
    this.#device = enrolment.device
    this.#ffmpeg = await findFfmpeg(env).catch((error: unknown) => {
      const { code, message } = asPorchlightError(error)
      log.warn({ code }, message)
      return undefined
    })
    const engine = options.engine ?? (await chooseEngine(config.media.engine, log))
    this.#engine = engine.name
    const iceServers = new IceServers({
      configured: config.media.iceServers,
      now: () => performance.now(),
      log,
    })
    this.#parts.push(iceServers)

    const token = () => makeDeviceToken(enrolment.device, enrolment.gatewayKey, identity.privateKey, now())
    const ca = (url: URL, signal: AbortSignal) => authority.for(url, signal)
    const monotonic = () => performance.now()
    const { footage } = config
    const spool =
      footage.spoolBytes === 0
        ? undefined
        : await Spool.open({
            directory: join(config.dataDir, 'spool'),
            maxBytes: footage.spoolBytes,
            maxAgeMs: footage.maxHours * 3_600_000,
            ...{ now, monotonic, log },
          })
    const uploader = new FootageUploader({
      bootId: this.#bootId,
      limits: footage,
      target: { api: enrolment.api, token, authority: ca },
      spool,
      spare: () => this.#spareRate,
      monotonic,
      random,
      log,
    })
    this.#uploader = uploader
    const link = new Link({
      enrolment,
      bootId: this.#bootId,
      version: agentVersion,
      limits: config.link,
      outboxFile: new OutboxFile(config.dataDir, now, log),
      nextEpoch: () => epoch.next(),
      token,
      authority: ca,
      cameras: () => this.#cameras.map((camera) => camera.state),
      on: {
        command: (command) => {
          if (command.type === 'relay') {
            iceServers.lend(command).catch((error: unknown) => log.warn({ err: error }, 'the relay cannot be used'))
          } else if (command.type !== 'hello') this.#camera(command.camera)?.command(command)
        },
        signal: (signal) => {
          for (const camera of this.#cameras) camera.signal(signal)
        },
        online: (online) => {
          if (online) uploader.wake()
        },
      },
      now,
      monotonic,
      random,
      log,
    })
    this.#link = link
    this.#parts.push(uploader, link)

    for (const camera of config.cameras) {
      const made = new AgentCamera({
        config: camera,
        device: enrolment.device,
        bootId: this.#bootId,
        identity,
        gatewayKey: enrolment.gatewayKey,
        iceServers: () => iceServers.list(),
        ringHoldMs: config.ring.holdSeconds * 1000,
        postrollMs: footage.postrollSeconds * 1000,
        engine,
        ffmpeg: this.#ffmpeg,
        link,
        uploader,
        now,
        random,
        log: log.child({ camera: camera.name }),
        deviceLog: log,
        changed: () => link.camerasChanged(),
      })
      this.#cameras.push(made)
      this.#parts.push(made)
    }
    if (this.#cameras.length === 0) log.warn('no cameras are configured')

    this.#http = await LocalHttp.open({
      ...config.http,
      token: localToken,
      ring: (camera) => this.press(camera),
      health: () => ({ ...this.health }),
      metrics: metricsOf({ link, uploader, cameras: this.#cameras }),
      log,
    })
    this.#parts.push(this.#http)
    uploader.start()
    link.start()
    log.info({ bootId: this.#bootId, http: this.#http.url, engine: this.#engine }, 'agent runs')
  }

  #camera(name: string): AgentCamera | undefined {
    return this.#cameras.find((camera) => camera.name === name)
  }

  /** The last made goes first: rings stop, then cameras (their last events go out), then the link. */
  async #close(): Promise<void> {
    for (const part of this.#parts.reverse()) {
      try {
        await part[Symbol.asyncDispose]()
      } catch (error) {
        this.#log.error({ err: error }, 'a part did not close')
      }
    }
  }
}

/** Most agents are never asked: what makes the figures' text is loaded (8 MB) with the first question. */
function metricsOf(parts: MeasuredParts): () => Promise<{ type: string; text: string }> {
  let registry: Promise<Registry> | undefined
  return async () => {
    registry ??= import('./agent-metrics.ts').then(({ agentMetrics }) => agentMetrics(parts))
    const metrics = await registry
    return { type: metrics.contentType, text: await metrics.metrics() }
  }
}
