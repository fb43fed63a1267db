import { backoff } from '@porchlight/proto/backoff.ts'
import { asPorchlightError, type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import type { CameraListener, CameraSource, TalkSink } from './camera-source.ts'
import { FrameNumbering } from './frame-numbering.ts'
import { untilAborted, waitFor } from './wait.ts'

export type CameraStatus = 'connecting' | 'live' | 'failed'

/** Shortest wait before the next dial: single-client cameras need it. ms */
export const minWaitMs = 500
const firstCeilingMs = 1_000
const maxWaitMs = 30_000
/** A wrong password locks accounts when it is tried often, ms. */
const authWaitMs = 60_000
/** A connection that lived so long begins the back-off anew, ms. */
const steadyMs = 30_000

export interface CameraOptions {
  /** Makes one connection; `camera.ts` makes the next when it has ended. */
  source: (listener: CameraListener, numbering: FrameNumbering) => CameraSource
  /** A clock that only goes on, ms. */
  monotonic?: () => number
  random?: () => number
  log: Logger
  /** Resolves after `ms`, or at once when aborted; tests give their own. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** The wait before attempt `attempt` (from 0): exponential with full jitter above a floor, ms. */
export function reconnectWaitMs(attempt: number, code: ErrorCode | undefined, random: number): number {
  if (code === 'camera_auth') return authWaitMs * (1 + random * 0.2)
  const slow = code === 'camera_no_video' || code === 'camera_codec' || code === 'sdp_file_invalid'
  return minWaitMs + (slow ? random * maxWaitMs : backoff(attempt, () => random, firstCeilingMs, maxWaitMs))
}

/** One camera for as long as the agent runs: connects, connects again, and passes frames on with one numbering. */
export class Camera implements AsyncDisposable {
  readonly #options: CameraOptions
  readonly #listeners = new Set<CameraListener>()
  readonly #stateCallbacks = new Set<() => void>()
  readonly #numbering = new FrameNumbering()
  readonly #abort = new AbortController()
  readonly #notes = new Set<string>()
  readonly #running: Promise<void>
  /** Interrupts what goes on between two switchings: a connection, or the wait for the next. */
  #turn = new AbortController()
  #isOff = false
  #state: CameraStatus = 'connecting'
  #error: PorchlightError | undefined
  #source: CameraSource | undefined
  #video: VideoFormat | undefined
  #audio: AudioFormat | undefined

  constructor(options: CameraOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  get state(): CameraStatus {
    return this.#state
  }

  /** Why it is not live; undefined while it is, or before the first failure. */
  get error(): PorchlightError | undefined {
    return this.#error
  }

  /** Whether it was let go, and nothing comes until it is switched on. */
  get isOff(): boolean {
    return this.#error?.code === 'camera_off'
  }

  /** What the camera sends; both undefined before its first keyframe. Kept while it reconnects. */
  get format(): { video: VideoFormat | undefined; audio: AudioFormat | undefined } {
    return { video: this.#video, audio: this.#audio }
  }

  /** Error codes of what is limited although the stream lives. */
  get notes(): string[] {
    return [...this.#notes]
  }

  /** The backchannel of the connection that lives now. */
  get talk(): TalkSink | undefined {
    return this.#state === 'live' ? this.#source?.talk : undefined
  }

  /**
   * Lets the camera go, until it is switched on again: `state` is then `failed`, `error` is `camera_off`, and nothing comes.
   * It begins switched on.
   */
  switchOn(on: boolean): void {
    if (on !== this.#isOff) return
    this.#isOff = !on
    this.#turn.abort()
  }

  requestKeyframe(): boolean {
    return this.#source?.requestKeyframe() ?? false
  }

  /** The listener hears the format at once where it is known. @returns how to take it away again */
  addListener(listener: CameraListener): () => void {
    this.#listeners.add(listener)
    if (this.#video !== undefined) this.#guard(() => listener.format(this.#video, this.#audio))
    for (const code of this.#notes) this.#guard(() => listener.note(code))
    return () => this.#listeners.delete(listener)
  }

  /** Called after each change of `state`, `error`, `talk` or `notes`. @returns how to take it away again */
  onState(callback: () => void): () => void {
    this.#stateCallbacks.add(callback)
    return () => this.#stateCallbacks.delete(callback)
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#source?.close()
    await this.#running
    this.#listeners.clear()
    this.#stateCallbacks.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    const monotonic = this.#options.monotonic ?? (() => performance.now())
    const random = this.#options.random ?? Math.random
    const wait = this.#options.wait ?? waitFor
    await Promise.resolve() // listeners may be added first
    let attempt = 0
    while (!signal.aborted) {
      this.#turn = new AbortController()
      const turn = AbortSignal.any([signal, this.#turn.signal])
      if (this.#isOff) {
        this.#options.log.info('the camera is off')
        this.#set('failed', new PorchlightError('camera_off'))
        await untilAborted(turn)
        this.#error = undefined
        attempt = 0
        continue
      }
      const began = monotonic()
      const error = await this.#connectOnce(turn)
      if (turn.aborted) continue
      if (monotonic() - began > steadyMs) attempt = 0
      this.#set('failed', error)
      this.#options.log.warn({ code: error?.code, detail: error?.detail }, 'the camera is not there')
      await wait(reconnectWaitMs(attempt, error?.code, random()), turn)
      attempt += 1
    }
  }

  /** @returns why the connection ended */
  async #connectOnce(signal: AbortSignal): Promise<PorchlightError | undefined> {
    let source: CameraSource | undefined
    try {
      source = this.#options.source(this.#forward, this.#numbering)
      this.#source = source
      // the reason of the last failure stays visible until a picture is there again
      this.#set(this.#error === undefined ? 'connecting' : 'failed', this.#error)
      await source.open(signal)
      this.#set('live', undefined)
      this.#options.log.info('the camera is live')
      return await Promise.race([source.ended, untilAborted(signal).then(() => undefined)])
    } catch (thrown) {
      return asPorchlightError(thrown, 'camera_protocol')
    } finally {
      this.#source = undefined
      await source?.close()
    }
  }

  readonly #forward: CameraListener = {
    format: (video, audio) => {
      if (this.#isOff) return
      this.#video = video
      this.#audio = audio
      this.#each((listener) => listener.format(video, audio))
      this.#changed()
    },
    // What was on its way when the camera was switched off is not passed on.
    accessUnit: (unit: AccessUnit) => {
      if (!this.#isOff) this.#each((listener) => listener.accessUnit(unit))
    },
    audioFrame: (frame: AudioFrame) => {
      if (!this.#isOff) this.#each((listener) => listener.audioFrame(frame))
    },
    note: (code) => {
      if (this.#notes.has(code)) return
      this.#notes.add(code)
      this.#each((listener) => listener.note(code))
      this.#changed()
    },
  }

  #set(state: CameraStatus, error: PorchlightError | undefined): void {
    this.#state = state
    this.#error = error
    this.#changed()
  }

  #changed(): void {
    for (const callback of this.#stateCallbacks) this.#guard(callback)
  }

  #each(tell: (listener: CameraListener) => void): void {
    for (const listener of this.#listeners) this.#guard(() => tell(listener))
  }

  /** A listener must not throw; one that does must not end the camera. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#options.log.error({ err: error }, 'a listener of the camera has failed')
    }
  }
}
