export interface BackoffLimits {
  /** Upper bound of the first wait, ms. */
  baseMs: number
  /** Upper bound of any wait, ms. */
  maxMs: number
}

export const defaultBackoff: BackoffLimits = { baseMs: 800, maxMs: 15_000 }

/**
 * Exponential back-off with full jitter: a wait from 0 to min(max, base · 2^attempt), so that many pages that lost the
 * same gateway do not come back in the same moment.
 * @param attempt counts failures in a row from 0
 * @param random from 0 (inclusive) to 1
 * @returns ms
 */
export function backoffMs(attempt: number, random: () => number, limits: BackoffLimits = defaultBackoff): number {
  const bound = Math.min(limits.maxMs, limits.baseMs * 2 ** Math.min(attempt, 30))
  return Math.round(bound * random())
}
