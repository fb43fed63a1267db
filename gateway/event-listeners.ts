import type { EventListener, EventService } from './events/event-service.ts'
import type { NoticeBroker } from './notices/notice-broker.ts'
import { pushPayload } from './push/payload.ts'
import type { PushSender } from './push/push-sender.ts'
import type { Recorder } from './recorder/recorder.ts'
import type { SignalingHub } from './signaling/hub.ts'

/** How long a push service keeps a message for a phone that is off, s. */
const pushTtl = 6 * 3_600
/** A still that comes later than this after its event is not pushed any more, ms. */
const stillPushMs = 5 * 60_000

/** The four that are told of events, each on its own: media, recording, open pages, closed pages. */
export function eventListeners(parts: {
  hub: Pick<SignalingHub, 'offered' | 'want'>
  recorder: Pick<Recorder, 'eventBegan' | 'eventEnded' | 'protectionChanged'>
  notices: Pick<NoticeBroker, 'event'>
  push: Pick<PushSender, 'send'>
  /** The service that tells; it is made after its listeners. */
  events: () => EventService
  title: (camera: string) => string
  /** ms since the Unix epoch */
  now: () => number
}): EventListener[] {
  const { hub, recorder, notices, push, events, title, now } = parts
  return [
    {
      name: 'media',
      began: (event, { device, offer, late }) => {
        if (offer) return hub.offered(device, offer)
        if (!late) hub.want(event.camera)
      },
    },
    {
      name: 'recorder',
      began: (event) => recorder.eventBegan(event),
      ended: ({ id, camera, endAt, recordTo }) => {
        if (endAt !== null && recordTo !== null) recorder.eventEnded({ id, camera, endAt, recordTo })
      },
      protected: () => recorder.protectionChanged(),
    },
    {
      name: 'notices',
      began: (event) => notices.event(events().notice(event)),
      ended: (event) => notices.event(events().notice(event)),
      still: (event) => notices.event(events().notice(event)),
      protected: (event) => notices.event(events().notice(event)),
    },
    {
      name: 'push',
      began: (event, { late, resumed }) => {
        if (resumed) return
        const urgent = event.kind === 'ring' && !late
        return push.send(pushPayload(event, title(event.camera), late), {
          ttl: pushTtl,
          urgency: urgent ? 'high' : 'normal',
        })
      },
      // The same tag again: the picture takes the place of the text.
      still: (event) => {
        if (now() - event.beginAt > stillPushMs) return
        return push.send(pushPayload(event, title(event.camera), false), { ttl: pushTtl, urgency: 'normal' })
      },
    },
  ]
}
