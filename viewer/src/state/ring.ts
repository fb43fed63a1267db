import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import { signal } from '@preact/signals'

/** A ring older than this is history and opens nothing, ms. */
export const ringFreshMs = 45_000

/** The ring that is being shown. */
export const ring = signal<EventNotice | undefined>(undefined)
const seen = new Set<string>()

/**
 * Whether a notice is somebody at the door right now, and for the first time.
 * @param now ms since the Unix epoch
 */
export function isNewRing(notice: EventNotice, now: number, known: Set<string> = seen): boolean {
  if (notice.kind !== 'ring' || known.has(notice.eventId)) return false
  known.add(notice.eventId)
  return Math.abs(now - notice.begin) < ringFreshMs
}
