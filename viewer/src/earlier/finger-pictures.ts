import { asPorchlightError } from '@porchlight/proto/errors.ts'
import { getSprite, type SpritePlan } from '../api/calls.ts'
import { placeInSprite, type SpritePlace } from './sprite-place.ts'

const minuteMs = 60_000
/** Minutes whose pictures are kept, each some 700 kB. */
const maxMinutes = 24
/** What may soon be another is asked for again after this, ms: a minute that goes on, or that could not be read. */
const askAgainMs = 5_000

/** A small picture, as a part of a larger one. */
export interface FingerPicture extends SpritePlace {
  image: ImageBitmap
}

interface Minute {
  plan: SpritePlan
  image: ImageBitmap
}

interface Read {
  /** undefined: it has none. */
  pictures: Minute | undefined
  /** So long it counts, ms since the Unix epoch. */
  untilMs: number
}

/**
 * Small pictures of moments that a finger passes over, a minute of them at a time. Of minutes that are wished for faster than
 * they come, the last counts.
 */
export class FingerPictures {
  readonly #camera: string
  readonly #show: (picture: FingerPicture | 'waiting' | undefined) => void
  readonly #now: () => number
  readonly #abort = new AbortController()
  /** By minute, the newest last. */
  readonly #minutes = new Map<number, Read>()
  /** undefined: a moment that has no picture. */
  #wanted: number | undefined
  #busy = false
  #able = true

  /**
   * @param show gets the picture of the moment that was wished for last; undefined: there is none
   * @param now ms since the Unix epoch
   */
  constructor(camera: string, show: (picture: FingerPicture | 'waiting' | undefined) => void, now: () => number) {
    this.#camera = camera
    this.#show = show
    this.#now = now
  }

  /** False where the gateway cannot make such pictures. */
  get able(): boolean {
    return this.#able
  }

  /** @param ms since the Unix epoch; undefined: the finger is where nothing is recorded */
  at(ms: number | undefined): void {
    this.#wanted = ms
    if (this.#missing === undefined) this.#tell()
    else if (this.#able) {
      this.#show('waiting')
      if (!this.#busy) void this.#follow()
    }
  }

  close(): void {
    this.#abort.abort()
    for (const { pictures } of this.#minutes.values()) pictures?.image.close()
    this.#minutes.clear()
  }

  /** The minute whose pictures are wished for and not here. */
  get #missing(): number | undefined {
    if (this.#wanted === undefined) return undefined
    const minute = minuteOf(this.#wanted)
    const read = this.#minutes.get(minute)
    return read && this.#now() < read.untilMs ? undefined : minute
  }

  async #follow(): Promise<void> {
    this.#busy = true
    for (let minute = this.#missing; minute !== undefined && this.#able; minute = this.#missing) {
      const read = await this.#read(minute)
      if (this.#abort.signal.aborted) return read.pictures?.image.close()
      this.#keep(minute, read)
    }
    this.#busy = false
    if (this.#able) this.#tell()
  }

  /** A picture less is no failure of the page. */
  async #read(minute: number): Promise<Read> {
    const isOver = (minute + 1) * minuteMs <= this.#now()
    const counting = (answered: boolean) => (answered && isOver ? Number.POSITIVE_INFINITY : this.#now() + askAgainMs)
    try {
      const { plan, jpeg } = await getSprite(this.#camera, minute, this.#abort.signal)
      const pictures = { plan, image: await createImageBitmap(jpeg) }
      return { pictures, untilMs: counting(true) }
    } catch (error) {
      const { code } = asPorchlightError(error)
      if (code === 'ffmpeg_missing') this.#able = false
      if (code !== 'range_empty') console.info('No small pictures of this minute:', error)
      return { pictures: undefined, untilMs: counting(code === 'range_empty') }
    }
  }

  #keep(minute: number, read: Read): void {
    this.#minutes.get(minute)?.pictures?.image.close()
    this.#minutes.delete(minute)
    this.#minutes.set(minute, read)
    const [oldest] = this.#minutes.keys()
    if (this.#minutes.size <= maxMinutes || oldest === undefined) return
    this.#minutes.get(oldest)?.pictures?.image.close()
    this.#minutes.delete(oldest)
  }

  #tell(): void {
    const ms = this.#wanted
    const minute = ms === undefined ? undefined : this.#minutes.get(minuteOf(ms))?.pictures
    this.#show(minute && ms !== undefined ? { image: minute.image, ...placeInSprite(minute.plan, ms) } : undefined)
  }
}

const minuteOf = (ms: number) => Math.floor(ms / minuteMs)
