/** Numbers that have room at first, and at most. */
const firstSize = 128
const mostSize = 4_096

type Column = Float64Array | Int32Array | Uint16Array | Uint8Array

/** A column of the doubled size with each number's value where the number stands now. */
export type Regrow = <Kind extends Column>(column: Kind) => Kind

export interface RecentNumbersOptions {
  /** What was sent more recently than this is not forgotten while there may be more room, ms. */
  keptMs: number
  /** The room was doubled: every column has to grow with it. */
  grown(regrow: Regrow): void
}

/**
 * Places for what is known of the numbers sent last: columns of plain numbers, one slot for each number, so that a packet
 * makes no garbage. The room grows to what is sent within the kept time: there is such a table for each line of each viewer.
 */
export class RecentNumbers {
  /** How long the columns are at first. */
  static readonly size = firstSize
  readonly #options: RecentNumbersOptions
  #numbers = new Int32Array(firstSize).fill(-1)
  #sentMs = new Float64Array(firstSize)
  #mask = firstSize - 1

  constructor(options: RecentNumbersOptions) {
    this.#options = options
  }

  /** By slot: when the number was sent, ms. */
  get sentMs(): Float64Array {
    return this.#sentMs
  }

  /** The slot of a number that is sent now. @param number uint16 */
  place(number: number, nowMs: number): number {
    if (this.#mask + 1 < mostSize && this.#isRecent(number, nowMs)) this.#grow()
    const slot = number & this.#mask
    this.#numbers[slot] = number
    this.#sentMs[slot] = nowMs
    return slot
  }

  /** Where a number is kept; −1: it is unknown, or too old. @param number uint16 */
  find(number: number): number {
    const slot = number & this.#mask
    return this.#numbers[slot] === number ? slot : -1
  }

  /** Nothing is kept where a number would stand. */
  forget(number: number): void {
    this.#numbers[number & this.#mask] = -1
  }

  clear(): void {
    this.#numbers.fill(-1)
  }

  /** Whether a number would take the place of one that was sent a moment ago. */
  #isRecent(number: number, nowMs: number): boolean {
    const slot = number & this.#mask
    return this.#numbers[slot]! >= 0 && nowMs - this.#sentMs[slot]! < this.#options.keptMs
  }

  #grow(): void {
    const before = this.#numbers
    const size = before.length * 2
    this.#mask = size - 1
    const regrow: Regrow = (column) => {
      const larger = new (column.constructor as new (size: number) => typeof column)(size)
      for (const [slot, number] of before.entries()) if (number >= 0) larger[number & this.#mask] = column[slot]!
      return larger
    }
    this.#numbers = new Int32Array(size).fill(-1)
    for (const number of before) if (number >= 0) this.#numbers[number & this.#mask] = number
    this.#sentMs = regrow(this.#sentMs)
    this.#options.grown(regrow)
  }
}
