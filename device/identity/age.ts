/** A clock before this (2020) was never set: what it stamped is of unknown age. */
const clockSetMs = 1_577_836_800_000

/**
 * Age of what an earlier run of the program stamped, ms: 0 where the clock had not been set then, or is behind now.
 * @param stampMs, nowMs device clock, ms since the Unix epoch
 */
export function ageOf(stampMs: number, nowMs: number): number {
  return stampMs < clockSetMs ? 0 : Math.max(0, nowMs - stampMs)
}
