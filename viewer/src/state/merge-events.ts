import type { EventNotice } from '@porchlight/proto/messages/notice.ts'

/** Puts `newer` facts over `known` ones; newest event first. */
export function merge(known: readonly EventNotice[], newer: readonly EventNotice[]): EventNotice[] {
  const byId = new Map(known.map((event) => [event.eventId, event]))
  for (const event of newer) byId.set(event.eventId, event)
  return [...byId.values()].sort((a, b) => b.begin - a.begin)
}
