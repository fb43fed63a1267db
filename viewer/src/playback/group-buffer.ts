import { PorchlightError } from '@porchlight/proto/errors.ts'
import { append, drop, dropBefore, openSource, Source } from '../live/media-source.ts'

/** Shown this long ago, it may go, s. */
const shownS = 20
/** Longer than any day is away, s: beyond its duration a video goes nowhere, and without one no further than it has pictures. */
const durationS = 100 * 366 * 24 * 3_600
/** So close to the end of what is there a video waits for more, s. */
const edgeS = 0.1

/** Whether a browser can take groups of pictures one by one. */
export const takesGroups = (): boolean => Source !== undefined

/** A <video> that is fed with groups of pictures of one media type. */
export class GroupBuffer {
  readonly type: string
  readonly #video: HTMLVideoElement
  readonly #source: MediaSource
  readonly #buffer: SourceBuffer

  private constructor(video: HTMLVideoElement, source: MediaSource, type: string) {
    this.type = type
    this.#video = video
    this.#source = source
    this.#buffer = source.addSourceBuffer(type)
    source.duration = durationS
  }

  /** @throws PorchlightError `codec_unsupported`. @throws DOMException `AbortError` */
  static async open(video: HTMLVideoElement, type: string, signal: AbortSignal): Promise<GroupBuffer> {
    if (!Source?.isTypeSupported(type)) throw new PorchlightError('codec_unsupported', type)
    const source = new Source()
    await openSource(video, source, signal)
    return new GroupBuffer(video, source, type)
  }

  /** Whether the picture of a time is there. @param seconds of the video */
  holds(seconds: number): boolean {
    const { buffered } = this.#buffer
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= seconds && seconds < buffered.end(index)) return true
    }
    return false
  }

  /** Makes room for another time; what is on screen stays there. */
  async clear(): Promise<void> {
    this.#forgetTorn()
    await drop(this.#buffer, durationS)
    this.#source.duration = durationS
  }

  /** Takes pictures as they come. */
  async append(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<void> {
    this.#forgetTorn()
    for await (const chunk of chunks) await append(this.#buffer, chunk, this.#video.currentTime - 1)
    if (!this.#video.seeking) await dropBefore(this.#buffer, this.#video.currentTime - shownS)
  }

  /** Nothing follows what it has: the video ends there. */
  end(): void {
    if (this.#source.readyState === 'open') this.#source.endOfStream()
  }

  /** Goes on where the video stands between pictures, or between sounds: nothing comes to fill that. */
  leaveHole(): void {
    const { buffered, currentTime, paused, seeking } = this.#video
    if (paused && !seeking) return
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.end(index) - edgeS <= currentTime) continue
      if (buffered.start(index) > currentTime) this.#video.currentTime = buffered.start(index) + edgeS / 10
      return
    }
  }

  /** A part of a group that was broken off. */
  #forgetTorn(): void {
    if (this.#source.readyState === 'open') this.#buffer.abort()
  }
}
