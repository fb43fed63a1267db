import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'
import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import { signal } from '@preact/signals'
import { getEvents } from '../api/calls.ts'
import { merge } from './merge-events.ts'
import { noticeSignedOut } from './session.ts'
import { Told } from './told.ts'

const pageSize = 20

export interface EventList {
  events: readonly EventNotice[]
  /** `before` of the next page; null: everything is here; undefined: nothing was asked yet. */
  next: number | null | undefined
  loading: boolean
  error?: PorchlightError
}

export const eventList = signal<EventList>({ events: [], next: undefined, loading: false })
const told = new Told()

/** Reads the next page of older events; nothing where one is under way or none is left. */
export async function loadMoreEvents(): Promise<void> {
  const list = eventList.value
  if (list.loading || list.next === null) return
  eventList.value = { ...list, loading: true }
  try {
    const page = await readPage(list.next)
    eventList.value = { events: merge(eventList.value.events, page.news), next: page.next, loading: false }
  } catch (thrown) {
    noticeSignedOut(thrown)
    eventList.value = { ...eventList.value, loading: false, error: asPorchlightError(thrown) }
  }
}

/** Reads the newest page, also again, after an absence. */
export async function refreshEvents(): Promise<void> {
  try {
    const page = await readPage(undefined)
    const { events, next } = eventList.value
    const gap = next !== undefined && !page.all.some(({ eventId }) => events.some((known) => known.eventId === eventId))
    const known = gap ? events.filter(({ eventId }) => page.toldSince(eventId)) : events
    const further = gap || next === undefined ? page.next : next
    eventList.value = { events: merge(known, page.news), next: further, loading: false }
  } catch (thrown) {
    noticeSignedOut(thrown)
    eventList.value = { ...eventList.value, error: asPorchlightError(thrown) }
  }
}

export function eventChanged(notice: EventNotice): void {
  told.notice(notice.eventId)
  const list = eventList.value
  eventList.value = { ...list, events: merge(list.events, [notice]) }
}

/** Takes what the gateway answered of one event, where the list has it. */
export function followEvent(event: EventNotice): void {
  if (eventList.value.events.some(({ eventId }) => eventId === event.eventId)) eventChanged(event)
}

/** `news`: what no notice has told of meanwhile. @param before undefined: the newest page */
async function readPage(before: number | undefined) {
  const toldSince = told.listAsked()
  const { events: all, next } = await getEvents({ limit: pageSize, ...(before === undefined ? {} : { before }) })
  return { all, news: all.filter(({ eventId }) => !toldSince(eventId)), next, toldSince }
}
