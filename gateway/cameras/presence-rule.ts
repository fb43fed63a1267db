/** What is known of a device's connection, and what a presence message says of it. */
export interface PresenceFacts {
  online: boolean
  bootId: string
  epoch: number
}

/**
 * Whether a presence is news. It is retained and the last will, so it arrives twice and out of order: the higher epoch
 * wins; at the same epoch, offline after online (a connection that was lost does not come back under its number).
 */
export function isNewerPresence(known: PresenceFacts | undefined, next: PresenceFacts): boolean {
  if (known === undefined) return true
  if (next.epoch !== known.epoch) return next.epoch > known.epoch
  return known.online && !next.online
}
