import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'
import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import { signal } from '@preact/signals'
import { getEvents } from '../api/calls.ts'
import { merge } from './merge-events.ts'
import { noticeSignedOut } from './session.ts'

const pageSize = 20

export interface EventList {
  events: readonly EventNotice[]
  /** `before` of the next page; null: everything is here; undefined: nothing was asked yet. */
  next: number | null | undefined
  loading: boolean
  error?: PorchlightError
}

export const eventList = signal<EventList>({ events: [], next: undefined, loading: false })

/** Reads the next page of older events; nothing where one is under way or none is left. */
export async function loadMoreEvents(): Promise<void> {
  const list = eventList.value
  if (list.loading || list.next === null) return
  eventList.value = { ...list, loading: true }
  try {
    const page = await getEvents({ limit: pageSize, ...(list.next === undefined ? {} : { before: list.next }) })
    eventList.value = { events: merge(eventList.value.events, page.events), next: page.next, loading: false }
  } catch (thrown) {
    noticeSignedOut(thrown)
    eventList.value = { ...eventList.value, loading: false, error: asPorchlightError(thrown) }
  }
}

/** Reads the newest page again, after an absence. */
export async function refreshEvents(): Promise<void> {
  const { events, next } = eventList.value
  if (next === undefined) return
  try {
    const page = await getEvents({ limit: pageSize })
    const touches = page.events.some((event) => events.some((known) => known.eventId === event.eventId))
    eventList.value = touches
      ? { events: merge(events, page.events), next, loading: false }
      : { events: page.events, next: page.next, loading: false }
  } catch (thrown) {
    noticeSignedOut(thrown)
    eventList.value = { ...eventList.value, error: asPorchlightError(thrown) }
  }
}

export function eventChanged(notice: EventNotice): void {
  const list = eventList.value
  eventList.value = { ...list, events: merge(list.events, [notice]) }
}
