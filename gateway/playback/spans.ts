/** Times [from, to] in ms; in order, and none touches the next. */
export type Spans = [from: number, to: number][]

/** @param pauseMs what lies no further apart becomes one */
export function joined(spans: Readonly<Spans>, pauseMs = 0): Spans {
  const result: Spans = []
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last && from - last[1] <= pauseMs) last[1] = Math.max(last[1], to)
    else result.push([from, to])
  }
  return result
}

/** What of the spans lies between `from` and `to`. */
export function clipped(spans: Readonly<Spans>, from: number, to: number): Spans {
  return spans.map(([low, high]): Spans[0] => [Math.max(low, from), Math.min(high, to)]).filter(([a, b]) => a < b)
}

/** What of `spans` is in none of `taken`; both in order. */
export function without(spans: Readonly<Spans>, taken: Readonly<Spans>): Spans {
  const rest: Spans = []
  let next = 0
  for (const [from, to] of spans) {
    let at = from
    while (next < taken.length && taken[next]![1] <= from) next += 1
    for (let index = next; index < taken.length && taken[index]![0] < to; index += 1) {
      if (taken[index]![0] > at) rest.push([at, taken[index]![0]])
      at = Math.max(at, taken[index]![1])
    }
    if (at < to) rest.push([at, to])
  }
  return rest
}

const minuteMs = 60_000

/** The whole minutes from … to, and what there is of the first and the last, at whose beginning `fits` says so. */
export function minutesThat(from: number, to: number, fits: (ms: number) => boolean): Spans {
  const minutes: Spans = []
  for (let at = from; at < to; ) {
    const next = Math.min((Math.floor(at / minuteMs) + 1) * minuteMs, to)
    if (fits(at)) minutes.push([at, next])
    at = next
  }
  return minutes
}
