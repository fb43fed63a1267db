/** Where a <video> is in what has come. Times are s of its timeline. */
export interface PaceFacts {
  at: number
  /** What it has, as [from, to]. */
  ranges: readonly (readonly [from: number, to: number])[]
  /** Its speed now. */
  rate: number
}

export interface Pace {
  /** Where to go at once. */
  seekTo?: number
  rate: number
  /** What lies before this is not needed any more. */
  dropBefore?: number
}

export const paceLimits = {
  /** After a jump so much is still ahead, s: fragments do not come evenly. */
  cushion: 0.5,
  /** Further behind than this it plays faster … s */
  hurry: 1.5,
  /** … until it is no further behind than this, s. */
  relax: 0.8,
  hurryRate: 1.1,
  /** Further behind than this it jumps, s: what is on screen is older by what the way to here took. */
  jump: 2,
  /** Once so much has been shown, s … */
  trim: 30,
  /** … all but so much of it is dropped, s. */
  keep: 10,
}

/** How to stay close to live: jump over holes and long delays, play short ones away. */
export function streamPace({ at, ranges, rate }: PaceFacts): Pace {
  const [first, last] = [ranges[0], ranges.at(-1)]
  if (first === undefined || last === undefined) return { rate: 1 }
  const [from, to] = last
  const behind = to - at
  // Nobody who comes wants to see first what was before: all that is kept for those who come is jumped over.
  const begins = at <= from && behind > paceLimits.hurry
  if (at < from || begins || behind > paceLimits.jump)
    return { seekTo: Math.max(from, to - paceLimits.cushion), rate: 1 }
  const hurries = behind > (rate > 1 ? paceLimits.relax : paceLimits.hurry)
  const trims = at - first[0] > paceLimits.trim
  return { rate: hurries ? paceLimits.hurryRate : 1, ...(trims && { dropBefore: at - paceLimits.keep }) }
}
