/** A set of numbers kept as spans [from, to], sorted, apart from each other. */
export class Spans {
  #spans: [from: number, to: number][] = []
  readonly #touch: number

  /**
   * @param touch spans that lie no further apart than this grow together: 1 for whole numbers (both ends belong to the
   *   span), some ms for times
   */
  constructor(touch: number) {
    this.#touch = touch
  }

  has(value: number): boolean {
    const span = this.#spans[this.#firstEndingAt(value)]
    return span !== undefined && span[0] <= value
  }

  /** Whether anything from … to (both included) is in it. */
  meets(from: number, to: number): boolean {
    const span = this.#spans[this.#firstEndingAt(from)]
    return span !== undefined && span[0] <= to
  }

  add(from: number, to: number): void {
    const first = this.#firstEndingAt(from - this.#touch)
    let last = first
    let [low, high] = [from, to]
    for (; last < this.#spans.length && this.#spans[last]![0] <= to + this.#touch; last += 1) {
      low = Math.min(low, this.#spans[last]![0])
      high = Math.max(high, this.#spans[last]![1])
    }
    this.#spans.splice(first, last - first, [low, high])
  }

  /** Takes whole numbers out again. */
  remove(from: number, to: number): void {
    this.#spans = this.#spans.flatMap(([low, high]): [number, number][] => {
      if (high < from || low > to) return [[low, high]]
      const rest: [number, number][] = []
      if (low < from) rest.push([low, from - 1])
      if (high > to) rest.push([to + 1, high])
      return rest
    })
  }

  /** Which whole numbers of from … to (both included) are not in it, as spans. */
  missing(from: number, to: number): [number, number][] {
    const rest: [number, number][] = []
    let next = from
    for (const [low, high] of this.within(from, to)) {
      if (low > next) rest.push([next, low - 1])
      next = high + 1
    }
    if (next <= to) rest.push([next, to])
    return rest
  }

  /** What of from … to (both included) is in it, as spans. */
  within(from: number, to: number): [number, number][] {
    const found: [number, number][] = []
    for (let index = this.#firstEndingAt(from); index < this.#spans.length; index += 1) {
      const [low, high] = this.#spans[index]!
      if (low > to) break
      found.push([Math.max(low, from), Math.min(high, to)])
    }
    return found
  }

  list(): readonly (readonly [number, number])[] {
    return this.#spans
  }

  /** Index of the first span that does not end before `value`. */
  #firstEndingAt(value: number): number {
    let low = 0
    let high = this.#spans.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#spans[middle]![1] < value) low = middle + 1
      else high = middle
    }
    return low
  }
}
