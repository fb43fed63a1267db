import type { Readable } from 'node:stream'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import type { Sfu } from '../sfu/sfu.ts'
import { systemTimers, type Timers } from '../signaling/session-machine.ts'
import { CameraStream } from './camera-stream.ts'

export interface LiveStreamLimits {
  /** Viewers in all. */
  viewers: number
  perCamera: number
  /** A viewer shows their sign-in at least so often, ms. */
  lifeMs: number
}

export const defaultLiveStreamLimits: LiveStreamLimits = { viewers: 128, perCamera: 32, lifeMs: 24 * 3_600_000 }

export interface LiveStreamsOptions {
  sfu: Pick<Sfu, 'read' | 'producer'>
  /** Asks the camera's device for a stream. */
  want(camera: string): void
  /** @throws PorchlightError `camera_off` where nobody may see the camera. Default: all are on */
  mustBeOn?(camera: string): void
  /** Path of ffmpeg, where there is one. */
  ffmpeg: string | undefined
  log: Logger
  /** How many watch a camera has changed. */
  onViewers(camera: string): void
  limits?: Partial<LiveStreamLimits>
  timers?: Timers
}

/** Who wants to watch. */
export interface JoinRequest {
  /** False: pictures only. */
  sound: boolean
  /** The sign-in or access token behind it: the stream ends with it. */
  session: string | undefined
  /** How long the sign-in still lasts, ms. */
  lifeMs: number
  /** Ends the waiting. */
  signal: AbortSignal
}

interface Viewing {
  camera: string
  session: string | undefined
  end(): void
}

/** The way for viewers without WebRTC: cameras as MP4 fragments over HTTP, about a second late. */
export class LiveStreams implements AsyncDisposable {
  readonly #options: LiveStreamsOptions
  readonly #limits: LiveStreamLimits
  readonly #timers: Timers
  /** By camera and whether there is sound in it. */
  readonly #streams = new Map<string, CameraStream>()
  readonly #viewing = new Set<Viewing>()
  #closed = false

  constructor(options: LiveStreamsOptions) {
    this.#options = options
    this.#limits = { ...defaultLiveStreamLimits, ...options.limits }
    this.#timers = options.timers ?? systemTimers
  }

  /** How many watch a camera this way. */
  viewers(camera: string): number {
    return [...this.#viewing].filter((one) => one.camera === camera).length
  }

  /**
   * Begins a stream for a viewer who was found to be allowed; where the camera is not live its device is asked, and
   * waited for.
   * @returns the bytes (init segment, then fragments from a keyframe on) and their media type; whoever destroys the bytes leaves
   * @throws PorchlightError `session_limit`, `camera_off`, `camera_offline`, `session_timeout`, `codec_unsupported`, `session_ended`
   */
  async join(camera: string, request: JoinRequest): Promise<{ type: string; body: Readable }> {
    const { signal, session } = request
    this.#options.mustBeOn?.(camera)
    const { viewers, perCamera, lifeMs } = this.#limits
    if (this.#viewing.size >= viewers || this.viewers(camera) >= perCamera) throw new PorchlightError('session_limit')
    if (this.#closed) throw new PorchlightError('session_ended', 'the gateway is stopping')
    const ended = new AbortController()
    const viewing: Viewing = { camera, session, end: () => ended.abort() }
    const left = () => {
      stopLife()
      if (this.#viewing.delete(viewing)) this.#options.onViewers(camera)
    }
    const stopLife = this.#timers.set(() => viewing.end(), Math.min(request.lifeMs, lifeMs))
    this.#viewing.add(viewing)
    try {
      const stream = this.#stream(camera, request.sound)
      const { type, viewer } = await stream.join(AbortSignal.any([signal, ended.signal]), left)
      viewing.end = () => viewer.end()
      this.#options.onViewers(camera)
      return { type, body: viewer.body }
    } catch (error) {
      left()
      throw error
    }
  }

  /** Ends what a sign-in watches. */
  endSession(session: string): void {
    for (const viewing of [...this.#viewing]) if (viewing.session === session) viewing.end()
  }

  /** A camera was switched off: nobody sees it any more. */
  switchedOff(camera: string): void {
    for (const viewing of [...this.#viewing]) if (viewing.camera === camera) viewing.end()
  }

  #stream(camera: string, sound: boolean): CameraStream {
    const { sfu, want, ffmpeg, log } = this.#options
    const key = `${camera} ${sound}`
    const known = this.#streams.get(key)
    if (known) return known
    const made = new CameraStream({
      camera,
      sound: sound ? { ffmpeg, log: log.child({ camera }) } : undefined,
      read: (id, reader) => sfu.read(id, reader),
      isLive: (id) => sfu.producer(id) !== undefined,
      want,
      timers: this.#timers,
      onIdle: () => {
        this.#streams.delete(key)
        made.close().catch((error: unknown) => log.warn({ camera, err: error }, 'a live stream was not ended'))
      },
    })
    this.#streams.set(key, made)
    return made
  }

  /** Ends all streams. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#streams.values()].map((stream) => stream.close()))
    this.#streams.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
