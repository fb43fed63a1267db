import { longestGopMs } from '../../playback/recorded-parts.ts'
import type { EventFacts, Need } from './facts.ts'

interface Step extends Need {
  fromMs: number
}

/** What the events of one camera need, moment by moment: each is played from the keyframe before its beginning. */
export class Needs {
  /** From each step's time to the next one's. */
  readonly #steps: Step[]

  /** @param events of one camera, in any order */
  constructor(events: readonly EventFacts[]) {
    const edges = events
      .flatMap((event) => [
        { at: event.fromMs - longestGopMs, event, count: 1 },
        { at: event.toMs ?? Number.POSITIVE_INFINITY, event, count: -1 },
      ])
      .toSorted((a, b) => a.at - b.at)
    const going = { ring: 0, motion: 0, protected: 0 }
    this.#steps = [{ fromMs: Number.NEGATIVE_INFINITY, ring: false, motion: false, protected: false }]
    for (const { at, event, count } of edges) {
      going[event.kind] += count
      if (event.protected) going.protected += count
      const step: Step = {
        fromMs: at,
        ring: going.ring > 0,
        motion: going.motion > 0,
        protected: going.protected > 0,
      }
      if (this.#steps.at(-1)!.fromMs === at) this.#steps[this.#steps.length - 1] = step
      else this.#steps.push(step)
    }
  }

  /** All that anything between the two is needed for. */
  between(startMs: number, endMs: number): Need {
    const need: Need = { ring: false, motion: false, protected: false }
    for (let index = this.#stepBefore(startMs); index < this.#steps.length; index += 1) {
      const step = this.#steps[index]!
      if (step.fromMs > endMs) break
      need.ring ||= step.ring
      need.motion ||= step.motion
      need.protected ||= step.protected
    }
    return need
  }

  #stepBefore(timeMs: number): number {
    let low = 0
    let high = this.#steps.length
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if (this.#steps[middle]!.fromMs < timeMs) low = middle
      else high = middle
    }
    return low
  }
}
