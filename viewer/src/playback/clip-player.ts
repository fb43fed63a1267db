import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'
import { clipPath, clipPlaylistPath, getClipPlaylist, type TimeSpan } from '../api/calls.ts'
import { type ClipSegment, momentOf, secondsOf, segmentsIn } from './clip-times.ts'
import { clipWay, type Playing, playMedia } from './play-media.ts'

/** So much around a moment is in one playlist, ms: a short one is there at once, and a long one is asked for less often. */
const beforeMs = 30_000
const afterMs = 10 * 60_000
/** No picture is waited for longer before a newer wish is heard, ms. */
const patienceMs = 8_000

export interface ClipPlayerEvents {
  /** The moment on screen has moved on, ms since the Unix epoch. */
  moment(ms: number): void
  /** `empty`: nothing is recorded there; `loading`: its picture is on its way. */
  state(state: 'shown' | 'loading' | 'empty'): void
  /** Everything up to here was played, ms since the Unix epoch. */
  ended(ms: number): void
  failed(error: PorchlightError): void
}

/** Shows any moment of a camera in a <video>, and plays on from it. Of wishes that come faster than pictures the last counts. */
export class ClipPlayer {
  readonly #video: HTMLVideoElement
  readonly #camera: string
  readonly #events: ClipPlayerEvents
  readonly #now: () => number
  readonly #abort = new AbortController()
  #clip: { span: TimeSpan; segments: ClipSegment[]; playing: Playing } | undefined
  #wanted: number | undefined
  #busy = false
  #plays = false

  /** @param now ms since the Unix epoch */
  constructor(video: HTMLVideoElement, camera: string, events: ClipPlayerEvents, now: () => number) {
    this.#video = video
    this.#camera = camera
    this.#events = events
    this.#now = now
    const { signal } = this.#abort
    video.addEventListener('timeupdate', () => this.#tellMoment(), { signal })
    video.addEventListener('ended', () => this.#tellEnd(), { signal })
  }

  /** Shows the picture of a moment; plays on from there unless it was paused. @param ms since the Unix epoch */
  show(ms: number): void {
    this.#wanted = ms
    if (this.#busy) return
    this.#busy = true
    void this.#follow()
  }

  /** Plays on from what is shown. */
  play(): void {
    this.#plays = true
    if (!this.#busy) this.#start()
  }

  pause(): void {
    this.#plays = false
    this.#video.pause()
  }

  close(): void {
    this.#abort.abort()
    this.#drop()
  }

  async #follow(): Promise<void> {
    while (this.#wanted !== undefined && !this.#abort.signal.aborted) {
      const ms = this.#wanted
      this.#wanted = undefined
      this.#events.state('loading')
      try {
        const shown = await this.#goTo(ms)
        if (this.#wanted !== undefined || this.#abort.signal.aborted) continue
        this.#events.state(shown ? 'shown' : 'empty')
        if (!shown) this.#video.pause()
        else if (this.#plays) this.#start()
      } catch (thrown) {
        this.#fail(asPorchlightError(thrown, 'playback_failed'))
      }
    }
    this.#busy = false
  }

  /** A newer wish, or a pause, ends what was about to play: that is no failure. */
  #start(): void {
    this.#video.play().catch((error: unknown) => console.info('The recording does not play:', error))
  }

  /** @returns false where nothing is recorded */
  async #goTo(ms: number): Promise<boolean> {
    if (this.#clip && this.#covers(ms)) {
      const seconds = secondsOf(this.#segments(), ms)
      if (seconds === undefined) return false
      const seen = this.#picture('seeked')
      this.#video.currentTime = seconds
      await seen
      return true
    }
    return this.#load(ms)
  }

  async #load(ms: number): Promise<boolean> {
    const span = { fromMs: ms - beforeMs, toMs: Math.min(ms + afterMs, this.#now()) }
    if (span.toMs <= span.fromMs) return false
    let segments: ClipSegment[]
    try {
      segments = segmentsIn(await getClipPlaylist(this.#camera, span))
    } catch (thrown) {
      if (asPorchlightError(thrown).code === 'range_empty') return false
      throw thrown
    }
    const seconds = secondsOf(segments, ms)
    if (seconds === undefined || this.#abort.signal.aborted) return false
    this.#drop()
    const video = this.#video
    const paths = { mp4: clipPath(this.#camera, span), playlist: clipPlaylistPath(this.#camera, span) }
    const seen = this.#picture('loadeddata')
    const playing = await playMedia(video, clipWay(video), paths, seconds, (error) => this.#fail(error))
    if (this.#abort.signal.aborted) {
      playing.end()
      return false
    }
    this.#clip = { span, segments, playing }
    await seen
    return true
  }

  /** Whether what is loaded says all of a moment: what was not over when it was asked for may have more by now. */
  #covers(ms: number): boolean {
    if (!this.#clip) return false
    const { span, segments } = this.#clip
    return ms >= span.fromMs && ms < Math.min(span.toMs, segments.at(-1)?.toMs ?? span.fromMs)
  }

  #segments(): ClipSegment[] {
    const told = this.#clip?.playing.segments()
    return told && told.length > 0 ? told : (this.#clip?.segments ?? [])
  }

  #tellMoment(): void {
    const { paused, seeking, currentTime } = this.#video
    if (paused || seeking || this.#busy) return
    const ms = momentOf(this.#segments(), currentTime)
    if (ms !== undefined) this.#events.moment(ms)
  }

  #tellEnd(): void {
    const end = this.#segments().at(-1)?.toMs
    if (end !== undefined && !this.#busy) this.#events.ended(end)
  }

  /** Resolves when the video says so, or after a while without. */
  #picture(event: 'seeked' | 'loadeddata'): Promise<void> {
    return new Promise((resolve) => {
      const over = new AbortController()
      const signal = AbortSignal.any([over.signal, this.#abort.signal])
      const done = () => {
        clearTimeout(timer)
        over.abort()
        resolve()
      }
      const timer = setTimeout(done, patienceMs)
      this.#video.addEventListener(event, done, { signal })
      this.#video.addEventListener('error', done, { signal })
      this.#abort.signal.addEventListener('abort', done, { signal: over.signal })
    })
  }

  #fail(error: PorchlightError): void {
    if (this.#abort.signal.aborted) return
    this.#drop()
    this.#events.failed(error)
  }

  #drop(): void {
    this.#clip?.playing.end()
    this.#clip = undefined
  }
}
