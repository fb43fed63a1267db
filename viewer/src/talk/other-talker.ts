import type { FloorNotice } from '@porchlight/proto/messages/notice.ts'

/**
 * Name of somebody else who talks at a camera.
 * @param mine our own session, if any
 * @param now ms since the Unix epoch: a lease that ran out holds nobody up
 */
export function otherTalker(floor: FloorNotice | undefined, mine: string | undefined, now: number): string | undefined {
  if (!floor?.holder || floor.holder.session === mine) return undefined
  return floor.until !== null && floor.until + 2_000 < now ? undefined : floor.holder.name
}
