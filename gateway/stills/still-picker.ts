import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'

/** Pictures kept for decoding up to the one that is wanted. */
const maxUnits = 300
const maxBytes = 16 * 1024 * 1024

/** A still that an event waits for: the first picture at or after this capture time. */
export interface WantedStill {
  eventId: string
  atMs: number
}

/** Watches pictures go by, and says which of them are needed to show an event's moment: from a keyframe up to it. */
export class StillPicker {
  readonly #picked: (wanted: WantedStill, units: AccessUnit[]) => void
  readonly #wanted: () => readonly WantedStill[]
  #units: AccessUnit[] = []
  #bytes = 0

  /** @param wanted what is still waited for; a picked one must not be in it any more */
  constructor(wanted: () => readonly WantedStill[], picked: (wanted: WantedStill, units: AccessUnit[]) => void) {
    this.#wanted = wanted
    this.#picked = picked
  }

  unit(unit: AccessUnit): void {
    const follows = this.#units.at(-1)?.frame === unit.frame - 1
    if (unit.keyframe || !follows || this.#units.length >= maxUnits || this.#bytes > maxBytes) this.#clear()
    if (this.#units.length === 0 && !unit.keyframe) return
    this.#bytes += unit.data.reduce((sum, piece) => sum + piece.byteLength, 0)
    this.#units.push(unit)
    for (const wanted of this.#wanted()) {
      if (unit.captureMs >= wanted.atMs) this.#picked(wanted, [...this.#units])
    }
  }

  #clear(): void {
    this.#units = []
    this.#bytes = 0
  }
}
