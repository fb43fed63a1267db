import { bad, type Finding, good } from './check.ts'

/** Tokens live ten minutes and signals seconds: more than this between the two clocks does harm, ms. */
export const maxSkewMs = 5_000

/**
 * Compares the clocks by the `Date` header of the gateway (RFC 9110 §6.6.1: whole seconds, so half a second is added).
 * @param sentAt, gotAt our clock around the request, ms since the Unix epoch
 */
export function judgeClock(date: string | undefined, sentAt: number, gotAt: number): Finding {
  const theirs = date === undefined ? Number.NaN : Date.parse(date)
  if (Number.isNaN(theirs)) return bad('the gateway tells no time', 'Look at the clock by hand: timedatectl')
  const skew = (sentAt + gotAt) / 2 - (theirs + 500)
  const doubt = (gotAt - sentAt) / 2 + 500
  if (Math.abs(skew) <= maxSkewMs + doubt) return good(`within ${(Math.abs(skew) / 1000).toFixed(1)} s of the gateway`)
  const way = skew > 0 ? 'ahead of' : 'behind'
  return bad(
    `${Math.round(Math.abs(skew) / 1000)} s ${way} the gateway`,
    'Let the clock be set: timedatectl set-ntp true (and the same on the gateway).',
  )
}
