import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'

/**
 * A part is a group of pictures, or of a longer group so much, in ms: what a crash can cost at most. Shorter ones would
 * cost more: each has an fsync, a row in the index, and pages that the next one writes again.
 */
const maxPartMs = 5_000
/** Longest pause between two pictures that still counts as one picture shown longer, in ms. */
const longestFrameMs = 1_000
/** Sound that waits for its pictures: ten seconds of 10 ms packets. */
const maxWaitingAudio = 1_000
/** A picture is shown before no more than so many that were decoded before it (H.264 §A.3.1, H.265 §A.4.2). */
const maxReordered = 16
const maxUnitsPerPart = 600
const guessedFrameMs = 40

/** Pictures with unbroken numbers and the sound of their time, ready to be written. */
export interface Part {
  run: string
  units: AccessUnit[]
  audio: AudioFrame[]
  /** Capture time of the first picture shown, and the end of the last, ms. */
  startMs: number
  endMs: number
}

/**
 * Cuts a stream of pictures and sound into parts: at every keyframe, at every hole in the numbers, and in longer groups
 * about every 5 s (or as told), there only where no later picture is shown before an earlier one (B-frames).
 */
export class PartBuilder {
  readonly #emit: (part: Part) => void
  readonly #partMs: number
  #run = ''
  #units: AccessUnit[] = []
  #audio: AudioFrame[] = []
  #lowest = 0
  #highest = 0
  #reordered = false
  #frameMs = guessedFrameMs
  /** Sound before this is not of this stream: ms. */
  #audioFromMs: number | undefined

  /** @param partMs parts are not longer, in ms, where pictures come often enough */
  constructor(emit: (part: Part) => void, partMs = maxPartMs) {
    this.#emit = emit
    this.#partMs = partMs
  }

  /** Names the numbering. What is open ends where it changes. */
  run(run: string): void {
    if (run === this.#run) return
    this.flush()
    this.#run = run
    this.#audioFromMs = undefined
  }

  unit(unit: AccessUnit): void {
    const last = this.#units.at(-1)
    if (last && this.#mustCut(last, unit)) this.#cut(unit.frame === last.frame + 1 ? unit.captureMs : undefined)
    if (this.#units.length === 0) {
      this.#lowest = unit.captureMs
      this.#highest = unit.captureMs
    } else {
      const step = unit.captureMs - this.#highest
      if (step > 0 && step < longestFrameMs && !this.#reordered) this.#frameMs = step
      if (step < 0) this.#seeReordering(unit.captureMs)
      this.#lowest = Math.min(this.#lowest, unit.captureMs)
      this.#highest = Math.max(this.#highest, unit.captureMs)
    }
    this.#audioFromMs ??= this.#lowest
    this.#units.push(unit)
  }

  audioFrame(frame: AudioFrame): void {
    this.#audio.push(frame)
    if (this.#audio.length > maxWaitingAudio) this.#audio.shift()
  }

  /** Ends the open part: nothing more comes, or not for a while. */
  flush(): void {
    if (this.#units.length > 0) this.#cut(undefined)
  }

  /** The clock was set back to about `toMs` (ms): what is open ends, and sound begins anew. */
  setBack(toMs: number): void {
    this.flush()
    this.#audio = this.#audio.filter((frame) => frame.captureMs < toMs + longestFrameMs)
    this.#audioFromMs = undefined
  }

  /** Capture time of the open part's first picture; undefined where none is open. */
  get openSinceMs(): number | undefined {
    return this.#units.length > 0 ? this.#lowest : undefined
  }

  #mustCut(last: AccessUnit, unit: AccessUnit): boolean {
    if (unit.keyframe || unit.frame !== last.frame + 1 || this.#units.length >= maxUnitsPerPart) return true
    return unit.captureMs > this.#highest && unit.captureMs - this.#lowest >= this.#partMs
  }

  #seeReordering(captureMs: number): void {
    this.#reordered = true
    const times = this.#units.slice(-maxReordered).map((unit) => unit.captureMs)
    const nearest = Math.min(...times.map((time) => Math.abs(time - captureMs)).filter((distance) => distance > 0))
    if (Number.isFinite(nearest)) this.#frameMs = nearest
  }

  /** @param nextMs capture time of the next picture in order, where it is known */
  #cut(nextMs: number | undefined): void {
    const units = this.#units
    this.#units = []
    // with B-frames the next picture decoded is seldom the next one shown
    const exact = nextMs !== undefined && nextMs > this.#highest && nextMs - this.#highest < longestFrameMs
    const known = exact && (!this.#reordered || nextMs - this.#highest < 1.5 * this.#frameMs)
    const endMs = known ? nextMs : this.#highest + this.#frameMs
    const fromMs = this.#audioFromMs ?? this.#lowest
    const audio = this.#audio.filter((frame) => frame.captureMs >= fromMs && frame.captureMs < endMs)
    this.#audio = this.#audio.filter((frame) => frame.captureMs >= endMs)
    const lastAudio = audio.at(-1)
    if (lastAudio) this.#audioFromMs = lastAudio.captureMs + 1
    this.#emit({ run: this.#run, units, audio, startMs: this.#lowest, endMs })
  }
}
