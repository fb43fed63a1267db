import type { EventKind } from '@porchlight/proto/messages/event.ts'

/** What the service worker of the viewer gets, as JSON. Encrypted on the way, so it may name the camera. */
export interface PushPayload {
  title: string
  body: string
  /** One notice per event on the screen: a later one replaces it. */
  tag: string
  /** Page to open, relative to the gateway. */
  url: string
  kind: EventKind
  camera: string
  eventId: string
  /** ms since the Unix epoch */
  at: number
  /** Address of the still picture, once there is one. */
  still?: string
}

/** What of an event a notice on a phone needs. */
export interface PushEvent {
  id: string
  camera: string
  kind: EventKind
  /** ms since the Unix epoch */
  beginAt: number
  hasStill: boolean
}

const texts: Record<EventKind, { now: string; late: string }> = {
  ring: { now: 'Somebody is at the door.', late: 'Somebody was at the door.' },
  motion: { now: 'Something is moving.', late: 'Something was moving.' },
}

/** @param late whether the news is old: the device could not reach the gateway */
export function pushPayload(event: PushEvent, cameraTitle: string, late: boolean): PushPayload {
  return {
    title: cameraTitle,
    body: texts[event.kind][late ? 'late' : 'now'],
    tag: event.id,
    url: late || event.kind === 'motion' ? `/#/event/${event.id}` : `/#/camera/${event.camera}`,
    kind: event.kind,
    camera: event.camera,
    eventId: event.id,
    at: event.beginAt,
    ...(event.hasStill && { still: `/api/events/${event.id}/still.jpg` }),
  }
}
