/**
 * The wait before try `attempt` (from 0): exponential with full jitter, so that many who lost the same broker do not come
 * back at once.
 * @param random uniform in [0, 1)
 * @returns ms, up to `maxMs`
 */
export function backoff(attempt: number, random: () => number, baseMs = 500, maxMs = 30_000): number {
  return random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 20))
}
