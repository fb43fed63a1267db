import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import { useSignal } from '@preact/signals'
import { stillPath } from '../api/calls.ts'
import { Icon } from './icons.tsx'

export function kindLabel(event: EventNotice): string {
  return event.kind === 'ring' ? 'Ring' : 'Motion'
}

export function KindIcon({ event }: { event: EventNotice }) {
  return <Icon name={event.kind === 'ring' ? 'bell' : 'walk'} />
}

/** The still picture of an event, or its kind where there is none (yet). */
export function Still({ event }: { event: EventNotice }) {
  const broken = useSignal(false)
  if (!event.hasStill || broken.value)
    return (
      <span class="still still-none">
        <KindIcon event={event} />
      </span>
    )
  return (
    <img
      class="still"
      src={stillPath(event.eventId)}
      alt=""
      loading="lazy"
      decoding="async"
      onError={() => {
        broken.value = true
      }}
    />
  )
}
