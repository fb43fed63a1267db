import { backoff } from '@porchlight/proto/backoff.ts'

export interface BackoffLimits {
  /** Upper bound of the first wait, ms. */
  baseMs: number
  /** Upper bound of any wait, ms. */
  maxMs: number
}

export const defaultBackoff: BackoffLimits = { baseMs: 800, maxMs: 15_000 }

/**
 * The wait before the next try, with the limits of a page (proto/backoff.ts).
 * @param attempt counts failures in a row from 0
 * @param random from 0 (inclusive) to 1
 * @returns ms
 */
export function backoffMs(attempt: number, random: () => number, limits: BackoffLimits = defaultBackoff): number {
  return Math.round(backoff(attempt, random, limits.baseMs, limits.maxMs))
}
