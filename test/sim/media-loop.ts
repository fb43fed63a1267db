import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { packetizeVideo } from '@porchlight/proto/media/packetizer.ts'
import { encodeMuLaw } from '../support/g711.ts'
import { sliceHash } from '../support/recorded-units.ts'
import { sine } from '../support/tone.ts'
import type { Mp4Video } from './mp4-source.ts'

/** Milliseconds since the Unix epoch, with fractions. */
export const preciseNow = (): number => performance.timeOrigin + performance.now()

/** Larger than WebRTC may carry, as cameras send: 1400 bytes of payload. */
const maxPayload = 1400
const keptLog = 20_000

/** What is sent at one moment: the payloads of one access unit, or one block of sound. */
export interface MediaBlock {
  payloads: readonly Uint8Array[]
  /** Seconds of media time since the camera's start, of presentation; the RTP timestamp comes from it. */
  seconds: number
  keyframe: boolean
}

/** When a picture was really sent. */
export interface SentFrame {
  /** The bar code in the picture (for files of others the sample's index). */
  index: number
  /** ms since the Unix epoch, just before the first byte went to a socket. */
  sentMs: number
  keyframe: boolean
}

/** And what it was. */
export interface SentUnit extends SentFrame {
  /** Of its slices (`sliceHash`). */
  hash: string
  /** Somebody was there to see it who had got a keyframe before: without one nobody can decode it. */
  seen: boolean
}

/** The media time of a camera: begins with the first PLAY, so that the first client meets a keyframe at once. */
export class MediaClock {
  #startMs: number | undefined
  readonly #waiting: (() => void)[] = []

  /** Real time of media time 0; undefined before the start. */
  get startMs(): number | undefined {
    return this.#startMs
  }

  start(): void {
    if (this.#startMs !== undefined) return
    this.#startMs = preciseNow()
    for (const begin of this.#waiting.splice(0)) begin()
  }

  onStart(begin: () => void): void {
    if (this.#startMs === undefined) this.#waiting.push(begin)
    else begin()
  }

  /** Media seconds now. */
  get seconds(): number {
    return this.#startMs === undefined ? 0 : (preciseNow() - this.#startMs) / 1000
  }
}

/**
 * Says blocks one after the other, each at its time on the clock, without drift; late ones follow at once. To be made
 * before the clock starts.
 */
abstract class PacedLoop {
  readonly #clock: MediaClock
  /** Whether each can decode what it gets: it has got a keyframe. */
  readonly #listeners = new Map<(block: MediaBlock) => void, boolean>()
  #timer: NodeJS.Timeout | undefined
  #next = 0
  #closed = false

  constructor(clock: MediaClock) {
    this.#clock = clock
    clock.onStart(() => this.#run())
  }

  /** Media seconds at which block `count` is due. */
  protected abstract dueAt(count: number): number
  protected abstract block(count: number): MediaBlock

  /** Whether somebody can decode the next block. */
  protected decodable(keyframe: boolean): boolean {
    return [...this.#listeners.values()].some((decodes) => decodes || keyframe)
  }

  listen(listener: (block: MediaBlock) => void): () => void {
    this.#listeners.set(listener, false)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#listeners.clear()
  }

  #run(): void {
    if (this.#closed) return
    while (this.dueAt(this.#next) <= this.#clock.seconds) {
      const block = this.block(this.#next)
      this.#next += 1
      for (const [listener, decodes] of this.#listeners) {
        if (block.keyframe && !decodes) this.#listeners.set(listener, true)
        listener(block)
      }
    }
    const waitMs = (this.dueAt(this.#next) - this.#clock.seconds) * 1000
    this.#timer = setTimeout(() => this.#run(), Math.max(0, waitMs))
  }
}

/** The pictures of a file, over and over, with timestamps that go on. */
export class VideoLoop extends PacedLoop {
  readonly video: Mp4Video
  /** Sent pictures, oldest first; the last 20 000. */
  readonly sent: SentUnit[] = []
  readonly #payloads = new Map<number, readonly Uint8Array[]>()
  readonly #hashes: string[] = []
  readonly #barcodeFps: number | undefined

  /** @param barcodeFps pictures per second that the bar code counts; undefined where the picture has none */
  constructor(clock: MediaClock, video: Mp4Video, barcodeFps?: number) {
    super(clock)
    this.video = video
    this.#barcodeFps = barcodeFps
  }

  protected dueAt(count: number): number {
    const { samples, seconds } = this.video
    return Math.floor(count / samples.length) * seconds + samples[count % samples.length]!.decodeSeconds
  }

  protected block(count: number): MediaBlock {
    const { samples, seconds } = this.video
    const at = count % samples.length
    const sample = samples[at]!
    const index = this.#barcodeFps === undefined ? at : Math.floor(sample.presentSeconds * this.#barcodeFps + 1e-6)
    const { keyframe } = sample
    this.sent.push({ index, sentMs: preciseNow(), keyframe, hash: this.#hash(at), seen: this.decodable(keyframe) })
    if (this.sent.length > keptLog) this.sent.splice(0, keptLog / 10)
    const loops = Math.floor(count / samples.length)
    return {
      payloads: this.#packetized(at),
      seconds: loops * seconds + sample.presentSeconds,
      keyframe: sample.keyframe,
    }
  }

  #hash(at: number): string {
    const kept = this.#hashes[at]
    if (kept !== undefined) return kept
    const hash = sliceHash(this.video.samples[at]!.nals)
    this.#hashes[at] = hash
    return hash
  }

  #packetized(at: number): readonly Uint8Array[] {
    const kept = this.#payloads.get(at)
    if (kept !== undefined) return kept
    const { nals, keyframe } = this.video.samples[at]!
    const unit: AccessUnit = {
      codec: this.video.codec,
      frame: at,
      captureMs: 0,
      keyframe,
      reference: true,
      data: nals,
    }
    const payloads = packetizeVideo(unit, maxPayload)
    this.#payloads.set(at, payloads)
    return payloads
  }
}

export const audioRate = 8000
const blockSamples = 160

/** A tone as PCMU, in blocks of 20 ms. */
export class ToneLoop extends PacedLoop {
  #second: Uint8Array

  /** @param frequency Hz, a whole number, so that each second ends where it began */
  constructor(clock: MediaClock, frequency: number) {
    super(clock)
    this.#second = toneSecond(frequency)
  }

  set frequency(frequency: number) {
    this.#second = toneSecond(frequency)
  }

  protected dueAt(count: number): number {
    return (count * blockSamples) / audioRate
  }

  protected block(count: number): MediaBlock {
    const at = (count * blockSamples) % audioRate
    return {
      payloads: [this.#second.subarray(at, at + blockSamples)],
      seconds: this.dueAt(count),
      keyframe: false,
    }
  }
}

function toneSecond(frequency: number): Uint8Array {
  return Uint8Array.from(sine(Math.round(frequency), audioRate, audioRate), encodeMuLaw)
}
