import { signal } from '@preact/signals'
import { getEvent, protectEvent } from '../api/calls.ts'
import { eventList, followEvent } from './events.ts'

/** Of events that the list does not have. */
const others = signal<ReadonlyMap<string, boolean>>(new Map())

/** Whether an event and its recording are kept until somebody releases them; undefined until it was read. */
export function isKept(eventId: string): boolean | undefined {
  return eventList.value.events.find((event) => event.eventId === eventId)?.protected ?? others.value.get(eventId)
}

/** Reads it where it is not known. @throws PorchlightError */
export async function readKept(eventId: string): Promise<void> {
  if (isKept(eventId) !== undefined) return
  const event = await getEvent(eventId)
  others.value = new Map(others.value).set(eventId, event.protected)
}

/** @throws PorchlightError */
export async function keep(eventId: string, kept: boolean): Promise<void> {
  const event = await protectEvent(eventId, kept)
  followEvent(event)
  others.value = new Map(others.value).set(eventId, event.protected)
}
