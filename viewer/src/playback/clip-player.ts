import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'
import type { ClipSource, ClipSourceEvents } from './clip-source.ts'
import { takesGroups } from './group-buffer.ts'
import { GroupStream } from './group-stream.ts'
import { PlaylistClip } from './playlist-clip.ts'

export interface ClipPlayerEvents extends ClipSourceEvents {
  /** The moment on screen has moved on, ms since the Unix epoch. */
  moment(ms: number): void
  /** `empty`: nothing is recorded there; `loading`: its picture is on its way. */
  state(state: 'shown' | 'loading' | 'empty'): void
}

/** How recordings get into this browser's <video>. @param now ms since the Unix epoch */
export function clipSource(
  video: HTMLVideoElement,
  camera: string,
  events: ClipSourceEvents,
  now: () => number,
): ClipSource {
  return takesGroups() ? new GroupStream(video, camera, events) : new PlaylistClip(video, camera, events, now)
}

/** Shows any moment of a camera in a <video>, and plays on from it. */
export class ClipPlayer {
  readonly #video: HTMLVideoElement
  readonly #events: ClipPlayerEvents
  readonly #source: ClipSource
  readonly #abort = new AbortController()
  #wanted: number | undefined
  /** The wish that is being fulfilled. */
  #step: AbortController | undefined
  #plays = false

  /** @param now ms since the Unix epoch */
  constructor(video: HTMLVideoElement, camera: string, events: ClipPlayerEvents, now: () => number) {
    this.#video = video
    this.#events = events
    const heard: ClipSourceEvents = {
      ended: (ms) => this.#step === undefined && events.ended(ms),
      failed: (error) => this.#fail(error),
    }
    this.#source = clipSource(video, camera, heard, now)
    video.addEventListener('timeupdate', () => !video.paused && this.#tellMoment(), { signal: this.#abort.signal })
  }

  /** Shows the picture of a moment in place of any other; plays on from there unless it was paused. @param ms since the Unix epoch */
  show(ms: number): void {
    this.#step?.abort()
    this.glance(ms)
  }

  /** Shows the picture of a moment when the one that is on its way is there: of such wishes the last counts. */
  glance(ms: number): void {
    this.#wanted = ms
    if (this.#step === undefined) void this.#follow()
  }

  /** Plays on from what is shown. */
  play(): void {
    this.#plays = true
    if (this.#step === undefined) this.#start()
  }

  pause(): void {
    this.#plays = false
    const played = !this.#video.paused
    this.#video.pause()
    // the moment that was told last is of a while ago, and at a high speed of long before
    if (played) this.#tellMoment()
  }

  /** Stands still until the next moment is shown. */
  hold(): void {
    this.#video.pause()
  }

  close(): void {
    this.#abort.abort()
    this.#source.close()
  }

  async #follow(): Promise<void> {
    while (this.#wanted !== undefined && !this.#abort.signal.aborted) {
      const ms = this.#wanted
      this.#wanted = undefined
      this.#step = new AbortController()
      const signal = AbortSignal.any([this.#step.signal, this.#abort.signal])
      this.#events.state('loading')
      try {
        const shown = await this.#source.show(ms, signal)
        if (this.#wanted !== undefined || signal.aborted) continue
        this.#events.state(shown ? 'shown' : 'empty')
        if (!shown) this.#video.pause()
        else if (this.#plays) this.#start()
      } catch (thrown) {
        if (!signal.aborted) this.#fail(asPorchlightError(thrown, 'playback_failed'))
      }
    }
    this.#step = undefined
  }

  /** A newer wish, or a pause, ends what was about to play: that is no failure. */
  #start(): void {
    this.#video.play().catch((error: unknown) => console.info('The recording does not play:', error))
  }

  #tellMoment(): void {
    const ms = this.#video.seeking || this.#step !== undefined ? undefined : this.#source.moment()
    if (ms !== undefined) this.#events.moment(ms)
  }

  #fail(error: PorchlightError): void {
    if (!this.#abort.signal.aborted) this.#events.failed(error)
  }
}
