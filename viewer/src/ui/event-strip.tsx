import { useEffect } from 'preact/hooks'
import { hrefOf } from '../route.ts'
import { eventList, loadMoreEvents } from '../state/events.ts'
import { timeOfDay } from '../state/time.ts'
import { kindLabel, Still } from './event-parts.tsx'
import { Icon } from './icons.tsx'

/** How many events stand below a live picture. */
const shown = 8

/** The way to a camera's days, and its newest events, side by side. */
export function EventStrip({ camera }: { camera: string }) {
  useEffect(() => {
    if (eventList.value.next === undefined) void loadMoreEvents()
  }, [])
  const events = eventList.value.events.filter((event) => event.camera === camera).slice(0, shown)
  return (
    <nav class="strip" aria-label="Latest events">
      <a class="strip-earlier" href={hrefOf({ page: 'earlier', id: camera })}>
        <span class="still still-none">
          <Icon name="earlier" />
        </span>
        <span class="strip-text">Earlier</span>
      </a>
      {events.map((event) => (
        <a
          key={event.eventId}
          href={hrefOf({ page: 'event', id: event.eventId })}
          aria-label={`${kindLabel(event)}, ${timeOfDay(event.begin)}`}
        >
          <Still event={event} />
          <span class="strip-text">
            {kindLabel(event)} <time>{timeOfDay(event.begin)}</time>
          </span>
        </a>
      ))}
      {events.length === 0 && eventList.value.next !== undefined && <p class="hint">Nothing has happened here yet.</p>}
    </nav>
  )
}
