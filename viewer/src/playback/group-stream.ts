import { asPorchlightError } from '@porchlight/proto/errors.ts'
import { type Groups, getGroups, type TimeSpan } from '../api/calls.ts'
import { type ClipSource, type ClipSourceEvents, heardOf, nearest } from './clip-source.ts'
import { GroupBuffer } from './group-buffer.ts'
import { mediaError } from './play-media.ts'

/** A jump asks for so much after its moment, ms: a browser shows a picture only when some more stand behind it. */
const afterJumpMs = 1_000
/** While it plays, so much is asked for at a time, ms. */
const pieceMs = 10_000
/** So far ahead it is loaded, ms: while it plays at its own speed, and for one picture. */
const aheadPlayingMs = 12_000
const aheadSeekingMs = 5_000
/** A shorter pause in a recording is none, ms: the gateway does not make one of it either. */
const pauseMs = 1_000
/** The video's timeline begins so long before its first moment, ms: one may go back so far in it. */
const backMs = 14 * 24 * 60 * 60_000
/** The gateway wants zero so long before what it is asked for, ms. */
const leadMs = 60_000
/** After a failure it is tried again no sooner, ms. */
const restMs = 2_000

interface Loading {
  over: AbortController
  /** Resolves also after a failure. */
  done: Promise<void>
}

/**
 * Shows recordings by media source extensions. A jump is one request, for the groups of pictures of its moment, and the
 * picture is there as soon as its bytes are: in the video everything stands at its capture time.
 */
export class GroupStream implements ClipSource {
  readonly #video: HTMLVideoElement
  readonly #camera: string
  readonly #events: ClipSourceEvents
  readonly #over = new AbortController()
  #buffer: GroupBuffer | undefined
  /** The moment that is 0 in the video, ms since the Unix epoch. */
  #zeroMs = 0
  /** What was loaded, without a pause. */
  #loaded: TimeSpan | undefined
  /** Nothing follows what was loaded. */
  #whole = false
  #loading: Loading | undefined
  #restsUntil = 0

  constructor(video: HTMLVideoElement, camera: string, events: ClipSourceEvents) {
    this.#video = video
    this.#camera = camera
    this.#events = events
    const { signal } = this.#over
    for (const event of ['play', 'timeupdate', 'seeking', 'ratechange']) {
      video.addEventListener(event, () => this.#loadAhead(), { signal })
    }
    video.addEventListener('waiting', () => this.#starve(), { signal })
    video.addEventListener('ended', () => this.#loaded && events.ended(this.#loaded.toMs), { signal })
    video.addEventListener('error', () => this.#fail(mediaError(video.error)), { signal })
  }

  async show(ms: number, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal, this.#over.signal])
    this.#loading?.over.abort()
    const held = this.#holds(ms)
    const groups = held ? undefined : await this.#groupsOf(ms, either)
    try {
      if (!held && (!groups || groups.span.fromMs > ms + pauseMs)) {
        over.abort()
        return false
      }
      this.#loading?.over.abort()
      await this.#loading?.done
      either.throwIfAborted()
      if (groups) await this.#makeRoom(groups, either)
      const loaded = this.#load(groups, either)
      this.#loading = { over, done: this.#settled(loaded, either) }
      if (this.#video.readyState === 0) await Promise.race([heardOf(this.#video, 'loadedmetadata', either), loaded])
      const seen = heardOf(this.#video, 'seeked', either)
      this.#video.currentTime = this.#secondsOf(nearest(groups?.span ?? this.#loaded!, ms))
      await Promise.race([seen, loaded.then(() => seen)])
      return true
    } catch (error) {
      // an answer that did not get as far as being loaded is ended by nobody else
      over.abort()
      throw error
    }
  }

  moment(): number | undefined {
    return this.#loaded && nearest(this.#loaded, this.#zeroMs + this.#video.currentTime * 1_000)
  }

  close(): void {
    this.#over.abort()
    this.#video.removeAttribute('src')
    this.#video.load()
  }

  #holds(ms: number): boolean {
    const { fromMs, toMs } = this.#loaded ?? { fromMs: 0, toMs: 0 }
    return fromMs <= ms && ms < toMs && this.#buffer?.holds(this.#secondsOf(ms)) === true
  }

  #secondsOf(ms: number): number {
    return (ms - this.#zeroMs) / 1_000
  }

  /** @returns undefined where nothing is recorded from there on */
  async #groupsOf(ms: number, signal: AbortSignal): Promise<(Groups & { zeroMs: number }) | undefined> {
    const zeroMs = this.#buffer && ms - this.#zeroMs > leadMs + pauseMs ? this.#zeroMs : Math.round(ms) - backMs
    const groups = await this.#ask({ fromMs: ms, toMs: ms + afterJumpMs }, zeroMs, signal)
    return groups && { ...groups, zeroMs }
  }

  async #ask(span: TimeSpan, zeroMs: number, signal: AbortSignal): Promise<Groups | undefined> {
    try {
      return await getGroups(this.#camera, span, zeroMs, signal)
    } catch (error) {
      if (!signal.aborted && asPorchlightError(error).code === 'range_empty') return undefined
      throw error
    }
  }

  /** The buffer for a jump, empty. */
  async #makeRoom({ type, span, zeroMs }: Groups & { zeroMs: number }, signal: AbortSignal): Promise<void> {
    this.#loaded = undefined
    if (this.#buffer?.type === type) await this.#buffer.clear()
    else {
      this.#buffer = undefined
      this.#buffer = await GroupBuffer.open(this.#video, type, signal)
    }
    this.#zeroMs = zeroMs
    this.#whole = false
    this.#loaded = { fromMs: span.fromMs, toMs: span.fromMs }
  }

  /** Takes what was asked for already, and loads on while there is need. */
  async #load(groups: Groups | undefined, signal: AbortSignal): Promise<void> {
    if (groups) await this.#take(groups)
    while (this.#needsMore()) {
      const next = await this.#following(signal)
      if (next) await this.#take(next)
      else this.#end()
    }
  }

  async #take({ chunks, span }: Groups): Promise<void> {
    await this.#buffer!.append(chunks())
    this.#loaded!.toMs = Math.max(this.#loaded!.toMs, span.toMs)
    this.#buffer!.leaveHole()
  }

  /** What goes on where the loaded ends, without a pause and in the same codec; undefined where nothing does. */
  async #following(signal: AbortSignal): Promise<Groups | undefined> {
    const endMs = this.#loaded!.toMs
    const toMs = endMs + (this.#video.paused ? afterJumpMs : pieceMs)
    const next = await this.#ask({ fromMs: endMs, toMs }, this.#zeroMs, signal)
    if (!next) return undefined
    const goesOn = next.span.fromMs <= endMs + pauseMs && next.span.toMs > endMs && next.type === this.#buffer!.type
    if (!goesOn) next.cancel()
    return goesOn ? next : undefined
  }

  #end(): void {
    this.#whole = true
    this.#buffer!.end()
    this.#buffer!.leaveHole()
  }

  #needsMore(): boolean {
    const { paused, seeking, playbackRate, currentTime } = this.#video
    if (!this.#loaded || !this.#buffer || this.#whole || (paused && !seeking)) return false
    const aheadMs = paused ? aheadSeekingMs : aheadPlayingMs * Math.max(1, playbackRate)
    return this.#loaded.toMs - this.#zeroMs - currentTime * 1_000 < aheadMs
  }

  #loadAhead(): void {
    if (this.#loading || performance.now() < this.#restsUntil || !this.#needsMore()) return
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, this.#over.signal])
    this.#loading = { over, done: this.#settled(this.#load(undefined, signal), signal) }
  }

  /** A failure matters only when the pictures are used up: until then it is tried again. */
  async #settled(loading: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await loading
    } catch (error) {
      if (signal.aborted) return
      console.info('The recording did not load on:', error)
      this.#restsUntil = performance.now() + restMs
      if (!this.#video.paused && this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.#fail(error)
    } finally {
      this.#loading = undefined
    }
  }

  #starve(): void {
    this.#buffer?.leaveHole()
    this.#restsUntil = 0
    this.#loadAhead()
  }

  #fail(error: unknown): void {
    if (this.#over.signal.aborted) return
    this.#loaded = undefined
    this.#buffer = undefined
    this.#events.failed(asPorchlightError(error, 'playback_failed'))
  }
}
