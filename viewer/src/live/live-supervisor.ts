import { asPorchlightError, type ErrorCode, errors, PorchlightError } from '@porchlight/proto/errors.ts'
import { backoffMs } from './backoff.ts'

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'off' | 'failed'

export interface LiveStatus {
  state: LiveState
  /** Why it is not live. */
  error?: ErrorCode
  /** When the next attempt starts (`now`'s clock, ms); absent while one runs, or where none will. */
  retryAt?: number
}

/** One connection to a camera; `close` is idempotent. */
export interface LiveConnection {
  close(): void
}

export interface ConnectionEvents {
  /** A frame was put on the screen. */
  frame(): void
  /** More of the picture came over the network, shown or not. */
  arrived(): void
  lost(error: unknown): void
}

export interface SupervisorDeps {
  connect(events: ConnectionEvents, signal: AbortSignal): Promise<LiveConnection>
  onStatus(status: LiveStatus): void
  now(): number
  /** Starts a timer and gives the way to stop it. */
  timer(run: () => void, ms: number): () => void
  random(): number
}

export const liveLimits = {
  /** From the start of an attempt to its first frame on the screen, ms. */
  firstFrameMs: 12_000,
  /** A picture that has not moved for this long is not live; the connection is dropped if nothing arrived either, ms. */
  frozenMs: 3_000,
  /** Media arrives, but a phone that is too busy to show it, or cannot decode it, gets so long, ms. */
  stuckMs: 12_000,
  /** How often a frozen picture is looked for, ms. */
  watchMs: 500,
  /** A connection that held this long makes the back-off start anew, ms. */
  steadyMs: 5_000,
  /** While the camera is known to be offline or off: how often it is tried nevertheless, ms. */
  offlineRetryMs: 30_000,
  /** A hidden page keeps its connection this long, ms. */
  hiddenMs: 20_000,
}

/**
 * Keeps one camera on the screen: connects, notices a picture that stands still, tries again with back-off, and says at
 * any time what it is doing. Only a frame on the screen makes the state `live`.
 */
export class LiveSupervisor implements Disposable {
  readonly #deps: SupervisorDeps
  #status: LiveStatus = { state: 'connecting' }
  #attempt: { abort: AbortController; connection?: LiveConnection; startedAt: number; liveAt?: number } | undefined
  #failures = 0
  #lastFrameAt: number | undefined
  #lastArrivalAt = 0
  #cameraOnline = true
  #cameraOff = false
  #visible = true
  #closed = false
  #stopRetry: (() => void) | undefined
  #stopWatch: (() => void) | undefined
  #stopHide: (() => void) | undefined

  constructor(deps: SupervisorDeps) {
    this.#deps = deps
  }

  get status(): LiveStatus {
    return this.#status
  }

  /** When the last frame came onto the screen, `now`'s clock, ms. */
  get lastFrameAt(): number | undefined {
    return this.#lastFrameAt
  }

  start(): void {
    if (this.#closed || this.#attempt || this.#cameraOff) return
    this.#stopRetry?.()
    this.#stopRetry = undefined
    this.#say({ state: this.#lastFrameAt === undefined && this.#failures === 0 ? 'connecting' : 'reconnecting' })
    const attempt = { abort: new AbortController(), startedAt: this.#deps.now() }
    this.#attempt = attempt
    this.#watch()
    const events: ConnectionEvents = {
      frame: () => this.#frame(attempt.abort),
      arrived: () => {
        if (this.#attempt?.abort === attempt.abort) this.#lastArrivalAt = this.#deps.now()
      },
      lost: (error) => this.#lost(attempt.abort, error),
    }
    this.#deps.connect(events, attempt.abort.signal).then(
      (connection) => {
        if (this.#attempt?.abort === attempt.abort) this.#attempt.connection = connection
        else connection.close()
      },
      (error: unknown) => this.#lost(attempt.abort, error),
    )
  }

  /** A person asked for it: at once, and the back-off starts anew. */
  retryNow(): void {
    if (this.#attempt) return
    this.#failures = 0
    this.start()
  }

  /** What the notices say of the camera. A frame on the screen is believed more. */
  setCameraOnline(online: boolean): void {
    if (this.#cameraOnline === online) return
    this.#cameraOnline = online
    if (online && this.#visible && !this.#attempt) this.retryNow()
    else if (!online && this.#status.state === 'reconnecting' && !this.#attempt) this.#waitOffline()
  }

  /** What the notices say: nobody sees the camera until they say that it is on. */
  setCameraOff(off: boolean): void {
    if (this.#cameraOff === off || this.#closed) return
    this.#cameraOff = off
    this.#stopRetry?.()
    if (off) {
      this.#drop()
      this.#say({ state: 'off', error: 'camera_off' })
    } else if (this.#visible) this.retryNow()
  }

  /** Frames are not shown to a hidden page: it is not watched, and its connection ends after a while. */
  setVisible(visible: boolean): void {
    if (this.#visible === visible || this.#closed) return
    this.#visible = visible
    if (!visible) {
      this.#stopWatch?.()
      this.#stopHide = this.#deps.timer(() => this.#drop(), liveLimits.hiddenMs)
      return
    }
    this.#stopHide?.()
    if (!this.#attempt) {
      this.retryNow()
      return
    }
    if (this.#lastFrameAt !== undefined) this.#lastFrameAt = this.#deps.now()
    this.#attempt.startedAt = this.#deps.now()
    this.#watch()
  }

  close(): void {
    this.#closed = true
    this.#stopRetry?.()
    this.#stopHide?.()
    this.#drop()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #frame(attempt: AbortController): void {
    const current = this.#attempt
    if (current?.abort !== attempt) return
    const now = this.#deps.now()
    this.#lastFrameAt = now
    current.liveAt ??= now
    if (this.#status.state !== 'live') this.#say({ state: 'live' })
    if (this.#failures > 0 && now - current.liveAt >= liveLimits.steadyMs) this.#failures = 0
  }

  #lost(attempt: AbortController, thrown: unknown): void {
    if (this.#attempt?.abort !== attempt) return
    this.#drop()
    if (this.#closed) return
    const error = asPorchlightError(thrown, 'session_ended')
    if (error.code === 'camera_off') {
      this.#retryIn(liveLimits.offlineRetryMs, { state: 'off', error: error.code })
      return
    }
    if (error.code === 'camera_offline' || !this.#cameraOnline) {
      this.#waitOffline()
      return
    }
    if (!errors[error.code].retryable) {
      this.#say({ state: 'failed', error: error.code })
      return
    }
    const wait = backoffMs(this.#failures, this.#deps.random)
    this.#failures += 1
    this.#retryIn(wait, { state: 'reconnecting', error: error.code })
  }

  #waitOffline(): void {
    this.#retryIn(liveLimits.offlineRetryMs, { state: 'offline', error: 'camera_offline' })
  }

  #retryIn(ms: number, status: LiveStatus): void {
    this.#stopRetry?.()
    if (!this.#visible) {
      this.#say(status)
      return
    }
    this.#say({ ...status, retryAt: this.#deps.now() + ms })
    this.#stopRetry = this.#deps.timer(() => this.start(), ms)
  }

  #watch(): void {
    this.#stopWatch?.()
    this.#stopWatch = this.#deps.timer(() => {
      const attempt = this.#attempt
      if (!attempt) return
      const now = this.#deps.now()
      const still = now - (this.#lastFrameAt ?? now)
      if (attempt.liveAt === undefined) {
        if (now - attempt.startedAt >= liveLimits.firstFrameMs)
          this.#lost(attempt.abort, new PorchlightError('session_timeout'))
      } else if (still >= liveLimits.stuckMs || Math.min(still, now - this.#lastArrivalAt) >= liveLimits.frozenMs) {
        this.#lost(attempt.abort, new PorchlightError('picture_frozen'))
      } else if (still >= liveLimits.frozenMs && this.#status.state === 'live') {
        this.#say({ state: 'reconnecting', error: 'picture_frozen' })
      }
      if (this.#attempt === attempt) this.#watch()
    }, liveLimits.watchMs)
  }

  /** Ends what runs, without a word. */
  #drop(): void {
    this.#stopWatch?.()
    const attempt = this.#attempt
    this.#attempt = undefined
    attempt?.abort.abort()
    attempt?.connection?.close()
    if (attempt && this.#status.state === 'live') this.#say({ state: 'reconnecting' })
  }

  #say(status: LiveStatus): void {
    this.#status = status
    if (!this.#closed) this.#deps.onStatus(status)
  }
}
