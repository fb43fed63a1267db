import { type Layer, LayerChoice, neededFor } from './layer-choice.ts'
import type { LinkEstimate } from './link-estimate.ts'
import { ProbePlan } from './probe-plan.ts'

/** A layer of which nothing has come for so long is not there, ms. */
export const layerGoneMs = 2_000

/** Which layers go over a link by what is believed of it, and when it is tried for the main one. */
export class LinkLayers {
  readonly #estimate: LinkEstimate
  readonly #choice = new LayerChoice()
  readonly #plan = new ProbePlan()

  constructor(estimate: LinkEstimate) {
    this.#estimate = estimate
  }

  get layer(): Layer {
    return this.#choice.layer
  }

  /** The link is short of the main layer: `decide` is to be asked again soon, even if nothing more is heard of the link. */
  get short(): boolean {
    return this.#choice.short
  }

  /** The link was heard of, or is short. @param main what the main layer and the sound take, bytes per ms; 0: not known yet */
  decide(main: number, nowMs: number): void {
    const { rate, probing } = this.#estimate
    this.#choice.decide({ nowMs, rate, probing, main })
  }

  /**
   * Begins a probe, where the main layer would be taken if the link showed that it bears it. False where it is not the time.
   * @param main as of `decide`
   */
  tryForMain(main: number, nowMs: number): boolean {
    const { rate, free, probes } = this.#estimate
    if (!free || probes.underWay || !this.#choice.wouldRise(nowMs)) return false
    const tried = this.#plan.next(rate, neededFor(main), nowMs)
    if (tried === undefined) return false
    probes.start(tried, nowMs)
    return true
  }
}
