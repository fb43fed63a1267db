import type { LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { LinkLayers, layerGoneMs } from '@porchlight/proto/media/congestion/link-layers.ts'
import type { LineSender } from './line-sender.ts'
import type { MediaLine } from './media-line.ts'
import type { Producer } from './producer.ts'

/**
 * - `stay`: nothing is to be done
 * - `fall`: go over to the small layer now
 * - `rise`: ask the main layer for a keyframe, and go over with it
 * - `probe`: send beside the media what the estimate's probe has due
 */
export type LayerStep = 'stay' | 'fall' | 'rise' | 'probe'

/** Which layer of a picture goes to one viewer, and when the link is tried for the main one. */
export class LayerSwitch {
  readonly #link: LinkLayers
  readonly #now: () => number

  /** @param now ms, monotone */
  constructor(estimate: LinkEstimate, now: () => number) {
    this.#link = new LinkLayers(estimate)
    this.#now = now
  }

  /** The link is short of the main layer: `step` is to be asked again soon, even if nothing more is heard of the link. */
  get short(): boolean {
    return this.#link.short
  }

  /** The layer that is wanted: one of which nothing comes is not there, and the main one stands for both of two such. */
  wanted(producer: Pick<Producer, 'video' | 'sub'> | undefined): MediaLine | undefined {
    const { video, sub } = producer ?? {}
    if (!this.#comes(sub)) return video
    return this.#comes(video) && this.#link.layer === 'main' ? video : sub
  }

  #comes(line: MediaLine | undefined): boolean {
    const ring = line?.cache.ring
    const newest = ring?.get(ring.head)
    return newest !== undefined && this.#now() - newest.arrivalMs < layerGoneMs
  }

  /**
   * The link was heard of, or is short: what to do about it. A probe is begun here.
   * @param sound what the sound takes of the estimated rate, bytes per ms
   */
  step(layers: Record<'video' | 'sub', MediaLine>, sender: LineSender, sound: number, nowMs: number): LayerStep {
    const { video, sub } = layers
    const main = video.bytesPerMs && video.bytesPerMs + sound
    this.#link.decide(main, nowMs)
    const wanted = this.wanted(layers)
    if (sender.line === video && wanted === sub) return 'fall'
    if (sender.line === sub && wanted === video) return 'rise'
    const tries = sender.line === sub && sender.canProbe && this.#link.tryForMain(main, nowMs)
    return tries ? 'probe' : 'stay'
  }
}
