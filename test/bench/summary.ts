/** What a bench says of a series, whole ms; null: of an empty one. */
export interface Summary {
  median: number | null
  min: number | null
  max: number | null
}

export function summary(values: readonly number[]): Summary {
  if (values.length === 0) return { median: null, min: null, max: null }
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median: Math.round(median), min: Math.round(sorted[0]!), max: Math.round(sorted.at(-1)!) }
}

/** Prints a line for each series, for people. */
export function printSummaries(series: Readonly<Record<string, Summary>>): void {
  const width = Math.max(...Object.keys(series).map((name) => name.length))
  for (const [name, { median, min, max }] of Object.entries(series))
    process.stdout.write(`${name.padEnd(width)}  median ${median}  min ${min}  max ${max}\n`)
}
