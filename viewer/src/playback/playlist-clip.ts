import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'
import { clipPath, clipPlaylistPath, getClipPlaylist, type TimeSpan } from '../api/calls.ts'
import { type ClipSource, type ClipSourceEvents, heardOf } from './clip-source.ts'
import { type ClipSegment, momentOf, secondsOf, segmentsIn } from './clip-times.ts'
import { browserMedia, playMedia } from './play-media.ts'
import { playbackWay } from './playback-way.ts'

/** So much around a moment is in one playlist, ms: a short one is there at once, and a long one is asked for less often. */
const beforeMs = 30_000
const afterMs = 10 * 60_000

/** Shows recordings where there are no media source extensions (older iPhones): a playlist, or a file, at a time. */
export class PlaylistClip implements ClipSource {
  readonly #video: HTMLVideoElement
  readonly #camera: string
  readonly #events: ClipSourceEvents
  readonly #now: () => number
  readonly #over = new AbortController()
  #clip: { span: TimeSpan; segments: ClipSegment[]; end(): void } | undefined

  /** @param now ms since the Unix epoch */
  constructor(video: HTMLVideoElement, camera: string, events: ClipSourceEvents, now: () => number) {
    this.#video = video
    this.#camera = camera
    this.#events = events
    this.#now = now
    video.addEventListener('ended', () => this.#tellEnd(), { signal: this.#over.signal })
  }

  async show(ms: number, signal: AbortSignal): Promise<boolean> {
    const either = AbortSignal.any([signal, this.#over.signal])
    if (!this.#clip || !this.#covers(ms)) return this.#load(ms, either)
    const seconds = secondsOf(this.#clip.segments, ms)
    if (seconds === undefined) return false
    const seen = heardOf(this.#video, 'seeked', either)
    this.#video.currentTime = seconds
    await seen
    return true
  }

  moment(): number | undefined {
    return this.#clip && momentOf(this.#clip.segments, this.#video.currentTime)
  }

  close(): void {
    this.#over.abort()
    this.#drop()
  }

  async #load(ms: number, signal: AbortSignal): Promise<boolean> {
    const span = { fromMs: ms - beforeMs, toMs: Math.min(ms + afterMs, this.#now()) }
    if (span.toMs <= span.fromMs) return false
    let segments: ClipSegment[]
    try {
      segments = segmentsIn(await getClipPlaylist(this.#camera, span))
    } catch (thrown) {
      if (asPorchlightError(thrown).code === 'range_empty') return false
      throw thrown
    }
    signal.throwIfAborted()
    const seconds = secondsOf(segments, ms)
    if (seconds === undefined) return false
    this.#drop()
    const video = this.#video
    const paths = { mp4: clipPath(this.#camera, span), playlist: clipPlaylistPath(this.#camera, span) }
    const seen = heardOf(video, 'loadeddata', signal)
    const way = playbackWay('growing', browserMedia(video))
    const end = await playMedia(video, way, paths, seconds, (error) => this.#fail(error))
    this.#clip = { span, segments, end }
    await seen
    return true
  }

  /** Whether what is loaded says all of a moment: what was not over when it was asked for may have more by now. */
  #covers(ms: number): boolean {
    if (!this.#clip) return false
    const { span, segments } = this.#clip
    return ms >= span.fromMs && ms < Math.min(span.toMs, segments.at(-1)?.toMs ?? span.fromMs)
  }

  #tellEnd(): void {
    const end = this.#clip?.segments.at(-1)?.toMs
    if (end !== undefined) this.#events.ended(end)
  }

  #fail(error: PorchlightError): void {
    this.#drop()
    this.#events.failed(error)
  }

  #drop(): void {
    this.#clip?.end()
    this.#clip = undefined
  }
}
