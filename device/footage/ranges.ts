/** Frame numbers `from` … `to`, both inclusive. */
export type FrameRange = readonly [from: number, to: number]

/** What of `ranges` lies within `others` too; both ascending. */
export function commonRanges(ranges: readonly FrameRange[], others: readonly FrameRange[]): FrameRange[] {
  const common: FrameRange[] = []
  let at = 0
  for (const [from, to] of ranges) {
    while (at < others.length && others[at]![1] < from) at += 1
    for (let index = at; index < others.length && others[index]![0] <= to; index += 1) {
      common.push([Math.max(from, others[index]![0]), Math.min(to, others[index]![1])])
    }
  }
  return common
}

/** Frames in ranges. */
export function countFrames(ranges: readonly FrameRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0)
}

/** A set of frame numbers as sorted, disjoint ranges; bounded: the oldest ranges are forgotten. */
export class FrameRanges {
  readonly #max: number
  #ranges: FrameRange[] = []

  constructor(max = 1_024) {
    this.#max = max
  }

  /** Those of `ranges`, all of them. */
  static of(ranges: readonly FrameRange[]): FrameRanges {
    const frames = new FrameRanges(Number.POSITIVE_INFINITY)
    for (const [from, to] of ranges) frames.add(from, to)
    return frames
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

  /** What of `from` … `to` is in the set. */
  within(from: number, to: number): FrameRange[] {
    return from > to ? [] : commonRanges(this.#ranges, [[from, to]])
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
