/** Frame numbers `from` … `to`, both inclusive. */
export type FrameRange = readonly [from: number, to: number]

/** A set of frame numbers as sorted, disjoint ranges; bounded: the oldest ranges are forgotten. */
export class FrameRanges {
  readonly #max: number
  #ranges: FrameRange[] = []

  constructor(max = 1_024) {
    this.#max = max
  }

  get ranges(): readonly FrameRange[] {
    return this.#ranges
  }

  add(from: number, to: number): void {
    if (to < from) return
    const before: FrameRange[] = []
    const after: FrameRange[] = []
    let low = from
    let high = to
    for (const range of this.#ranges) {
      if (range[1] < from - 1) before.push(range)
      else if (range[0] > to + 1) after.push(range)
      else {
        low = Math.min(low, range[0])
        high = Math.max(high, range[1])
      }
    }
    this.#ranges = [...before, [low, high] as const, ...after].slice(-this.#max)
  }

  /** Takes frames out again (an upload was given up). */
  remove(from: number, to: number): void {
    this.#ranges = this.#ranges.flatMap(([low, high]): FrameRange[] => {
      if (high < from || low > to) return [[low, high]]
      const left: FrameRange[] = low < from ? [[low, from - 1]] : []
      return high > to ? [...left, [to + 1, high]] : left
    })
  }

  has(frame: number): boolean {
    return this.#ranges.some(([low, high]) => low <= frame && frame <= high)
  }

  /** What of `from` … `to` is not in the set. */
  missing(from: number, to: number): FrameRange[] {
    const missing: FrameRange[] = []
    let next = from
    for (const [low, high] of this.#ranges) {
      if (high < next) continue
      if (low > to) break
      if (low > next) missing.push([next, low - 1])
      next = high + 1
    }
    if (next <= to) missing.push([next, to])
    return missing
  }
}

/** Numbers of pictures in a row, as ranges. */
export function rangesOf(units: readonly { frame: number }[]): FrameRange[] {
  const ranges: [number, number][] = []
  for (const { frame } of units) {
    const last = ranges.at(-1)
    if (last !== undefined && frame === last[1] + 1) last[1] = frame
    else ranges.push([frame, frame])
  }
  return ranges
}
