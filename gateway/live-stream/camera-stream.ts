import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { MediaReader } from '../sfu/media-reader.ts'
import { keepAsking } from '../signaling/keep-asking.ts'
import type { Timers } from '../signaling/session-machine.ts'
import { type Fragment, LiveMuxer, type StreamStart } from './live-muxer.ts'
import { StreamViewer } from './stream-viewer.ts'

/** How long a viewer waits for the first fragment, ms. */
const startMs = 8_000
/** The stream goes on so long after its last viewer, for one who comes back, ms. */
const lingerMs = 5_000
/** What is kept for those who join: not longer than this, ms, nor larger, bytes. The next keyframe begins anew. */
const kept = { ms: 12_000, bytes: 12 << 20 }

export interface CameraStreamOptions {
  camera: string
  /** Undefined: pictures only. */
  sound: ConstructorParameters<typeof LiveMuxer>[1]
  read(camera: string, reader: MediaReader): () => void
  isLive(camera: string): boolean
  want(camera: string): void
  timers: Timers
  /** Nobody has watched for a while: the stream may be closed. */
  onIdle(): void
}

interface Waiting {
  resolve(): void
  reject(error: PorchlightError): void
}

/** One camera's stream of fragments and those who watch it: runs from the first viewer until some seconds after the last. */
export class CameraStream {
  readonly #options: CameraStreamOptions
  readonly #muxer: LiveMuxer
  readonly #leave: () => void
  readonly #viewers = new Set<StreamViewer>()
  readonly #waiting = new Set<Waiting>()
  #start: StreamStart | undefined
  /** Whether fragments come. */
  #live = false
  #kept: Fragment[] = []
  #keptBytes = 0
  #stopIdle: (() => void) | undefined
  #closed = false

  constructor(options: CameraStreamOptions) {
    this.#options = options
    this.#muxer = new LiveMuxer(
      {
        began: (start) => this.#began(start),
        fragment: (fragment) => this.#fragment(fragment),
        paused: () => this.#paused(),
        unplayable: (error) => this.#unplayable(error),
      },
      options.sound,
    )
    this.#leave = options.read(options.camera, this.#muxer)
  }

  /** Those who watch, and those who wait for it. */
  get viewers(): number {
    return this.#viewers.size + this.#waiting.size
  }

  /**
   * Gives a viewer the stream from the last keyframe on; where the camera is not live it is asked, and waited for.
   * @param signal ends the waiting
   * @param onLeft called once, when the viewer takes nothing more
   * @throws PorchlightError `camera_offline`, `session_timeout`, `codec_unsupported`, `session_ended`
   */
  async join(signal: AbortSignal, onLeft: () => void): Promise<{ type: string; viewer: StreamViewer }> {
    this.#stopIdle?.()
    try {
      if (!this.#live) await this.#wait(signal)
      const start = this.#start
      if (start === undefined) throw new PorchlightError('session_ended')
      const viewer = new StreamViewer(start.bytes, this.#kept, () => {
        this.#viewers.delete(viewer)
        this.#watchIdle()
        onLeft()
      })
      this.#viewers.add(viewer)
      return { type: start.type, viewer }
    } finally {
      this.#watchIdle()
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { camera, want, isLive, timers } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting: Waiting = { resolve, reject }
    const aborted = () => reject(new PorchlightError('session_ended'))
    let stopAsking: () => void = () => undefined
    const late = () => reject(new PorchlightError(isLive(camera) ? 'session_timeout' : 'camera_offline'))
    const stopTimer = timers.set(late, startMs)
    signal.addEventListener('abort', aborted, { once: true })
    this.#waiting.add(waiting)
    if (signal.aborted) aborted()
    else stopAsking = keepAsking(() => want(camera), timers)
    try {
      await promise
    } finally {
      this.#waiting.delete(waiting)
      stopAsking()
      stopTimer()
      signal.removeEventListener('abort', aborted)
    }
  }

  /** Those who watch were told of other codecs: they ask again. */
  #began(start: StreamStart): void {
    this.#endViewers()
    this.#start = start
    this.#forgetKept()
  }

  #fragment(fragment: Fragment): void {
    if (fragment.keyframe) this.#forgetKept()
    const first = this.#kept[0] ?? fragment
    const fits = fragment.startMs - first.startMs <= kept.ms && this.#keptBytes + fragment.bytes.length <= kept.bytes
    if (fits && first.keyframe) {
      this.#kept.push(fragment)
      this.#keptBytes += fragment.bytes.length
    } else this.#forgetKept()
    for (const viewer of this.#viewers) viewer.add(fragment)
    this.#live = true
    for (const { resolve } of this.#waiting) resolve()
  }

  /** What is kept is not live any more; those who watch stay, should the camera come back. */
  #paused(): void {
    this.#live = false
    this.#forgetKept()
  }

  #unplayable(error: PorchlightError): void {
    this.#start = undefined
    this.#paused()
    this.#endViewers()
    for (const { reject } of this.#waiting) reject(error)
  }

  #forgetKept(): void {
    this.#kept = []
    this.#keptBytes = 0
  }

  #endViewers(): void {
    for (const viewer of this.#viewers) viewer.end()
    this.#viewers.clear()
  }

  #watchIdle(): void {
    this.#stopIdle?.()
    if (this.#closed || this.viewers > 0) return
    this.#stopIdle = this.#options.timers.set(this.#options.onIdle, lingerMs)
  }

  /** Ends everybody's stream. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stopIdle?.()
    this.#leave()
    this.#endViewers()
    for (const { reject } of this.#waiting) reject(new PorchlightError('session_ended'))
    await this.#muxer.close()
  }
}
