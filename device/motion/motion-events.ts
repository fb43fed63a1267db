/** What a camera's motion means to others; times are capture times, ms since the Unix epoch. */
export interface MotionListener {
  /** First sign. */
  begin(atMs: number): void
  /** It goes on. */
  active(atMs: number): void
  /** Last sign plus hold. */
  end(atMs: number): void
}

export interface MotionEventsOptions {
  /** Stillness that ends an event, ms. */
  holdMs: number
  /** `active` comes so often, ms. */
  activeEveryMs?: number
  on: MotionListener
}

/** Frames in a row that must show something: one alone is often a bad frame. */
const confirmingFrames = 2
const defaultActiveEveryMs = 3_000
/** No frames for so long beyond the hold end an event too, ms. */
const blindMs = 5_000

/** Sightings become events: begin, active, end. Pure but for its memory. */
export class MotionEvents {
  readonly #options: MotionEventsOptions
  #row = 0
  #firstMs = 0
  #lastMs = 0
  #toldMs = 0
  #seenMs: number | undefined
  #active = false

  constructor(options: MotionEventsOptions) {
    this.#options = options
  }

  get active(): boolean {
    return this.#active
  }

  /** One frame's sighting. */
  sight(atMs: number, present: boolean): void {
    this.#seenMs = atMs
    if (!present) this.#row = 0
    else if (this.#row++ === 0) this.#firstMs = atMs
    const { on, holdMs, activeEveryMs = defaultActiveEveryMs } = this.#options
    if (!this.#active) {
      if (this.#row < confirmingFrames) return
      this.#active = true
      this.#lastMs = atMs
      this.#toldMs = atMs
      on.begin(this.#firstMs)
      return
    }
    // One frame keeps an event alive: to miss somebody is worse than to go on a little.
    if (present) this.#lastMs = atMs
    if (atMs - this.#lastMs >= holdMs) this.finish()
    else if (present && atMs - this.#toldMs >= activeEveryMs) {
      this.#toldMs = atMs
      on.active(atMs)
    }
  }

  /** To be called now and then: ends an event whose camera shows nothing any more. */
  tick(nowMs: number): void {
    if (this.#active && nowMs - (this.#seenMs ?? nowMs) > this.#options.holdMs + blindMs) this.finish()
  }

  /** Ends a running event. */
  finish(): void {
    if (!this.#active) return
    this.#active = false
    this.#row = 0
    this.#options.on.end(this.#lastMs + this.#options.holdMs)
  }
}
