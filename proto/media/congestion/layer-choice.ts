export type Layer = 'main' | 'sub'

/** Rates are bytes per ms. */
export interface LayerFacts {
  /** ms, monotone. */
  nowMs: number
  /** What the link is believed to bear. */
  rate: number
  /** Nothing has yet shown where the link ends. */
  probing: boolean
  /** What the main layer and the sound take; 0: not known yet. */
  main: number
}

/** Short of the main layer for so long, it is left, ms: an estimate dips for a moment after every hiccup. */
const shortMs = 400
/** Room that the main layer must have beyond its mean rate before it is taken again. */
const room = 1.15
/** Time on the small layer before the main one is tried again, ms; doubles each time the main one was left soon. */
const leastStayMs = 2_000
const mostStayMs = 32_000
const soonMs = 10_000

/** What the link must bear for the main layer to be taken again. @param main its rate */
export function neededFor(main: number): number {
  return main * room
}

/** Which layers go over a link: a dip costs nothing, and a link that goes up and down is not followed each time. */
export class LayerChoice {
  #layer: Layer = 'main'
  #sinceMs: number | undefined
  #shortSinceMs: number | undefined
  #stayMs = leastStayMs

  get layer(): Layer {
    return this.#layer
  }

  /** The link is short of the main layer: `decide` is to be asked again soon, even if nothing more is heard of the link. */
  get short(): boolean {
    return this.#shortSinceMs !== undefined
  }

  /** Whether the main layer would be taken if the link showed that it bears it. */
  wouldRise(nowMs: number): boolean {
    return this.#layer === 'sub' && nowMs - (this.#sinceMs ?? nowMs) >= this.#stayMs
  }

  decide({ nowMs, rate, probing, main }: LayerFacts): Layer {
    this.#sinceMs ??= nowMs
    if (main <= 0) return this.#layer
    if (this.#layer === 'sub') {
      if (this.wouldRise(nowMs) && rate >= neededFor(main)) this.#take('main', nowMs)
      return this.#layer
    }
    if (probing || rate >= main) this.#shortSinceMs = undefined
    else this.#shortSinceMs ??= nowMs
    if (this.#shortSinceMs !== undefined && nowMs - this.#shortSinceMs >= shortMs) {
      const soon = nowMs - this.#sinceMs < soonMs
      this.#stayMs = soon ? Math.min(mostStayMs, this.#stayMs * 2) : leastStayMs
      this.#take('sub', nowMs)
    }
    return this.#layer
  }

  #take(layer: Layer, nowMs: number): void {
    this.#layer = layer
    this.#sinceMs = nowMs
    this.#shortSinceMs = undefined
  }
}
