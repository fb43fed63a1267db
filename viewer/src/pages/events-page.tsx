import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import { useEffect, useRef } from 'preact/hooks'
import { sentenceOf } from '../api/request.ts'
import { hrefOf } from '../route.ts'
import { eventList, loadMoreEvents } from '../state/events.ts'
import { dayOf, lasting, now, timeOfDay } from '../state/time.ts'
import { KindIcon, kindLabel, Still } from '../ui/event-parts.tsx'
import { Icon, Lamp } from '../ui/icons.tsx'

/** Everything that happened, newest first; older ones come while one scrolls. */
export function EventsPage() {
  const list = eventList.value
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const watcher = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) void loadMoreEvents()
      },
      { rootMargin: '600px' },
    )
    watcher.observe(end.current!)
    return () => watcher.disconnect()
    // A short page leaves the end in view: it is looked at again after each page.
  }, [list.events.length])
  return (
    <main class="page">
      <header class="bar">
        <h1>Events</h1>
      </header>
      {days(list.events, now.value).map(([day, events]) => (
        <section key={day} aria-label={day}>
          <h2 class="day">{day}</h2>
          <ul class="rows">
            {events.map((event) => (
              <li key={event.eventId}>
                <EventRow event={event} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {list.next === null && list.events.length === 0 && (
        <div class="empty">
          <Lamp />
          <p>All quiet. Rings and motion will be listed here.</p>
        </div>
      )}
      <div ref={end} class="list-end" role="status">
        {list.loading && <span class="spinner" role="img" aria-label="Loading" />}
        {list.error && !list.loading && (
          <>
            <p>{sentenceOf(list.error)}</p>
            <button type="button" class="quiet" onClick={() => void loadMoreEvents()}>
              Try again
            </button>
          </>
        )}
      </div>
    </main>
  )
}

function EventRow({ event }: { event: EventNotice }) {
  const length = event.end === null ? 'going on' : lasting(event.end - event.begin)
  return (
    <a
      class="row"
      href={hrefOf({ page: 'event', id: event.eventId })}
      data-kind={event.kind}
      data-event={event.eventId}
    >
      <Still event={event} />
      <span class="row-text">
        <strong>
          <KindIcon event={event} /> {kindLabel(event)}{' '}
          {event.protected && (
            <span role="img" aria-label="kept">
              <Icon name="kept" />
            </span>
          )}
        </strong>
        <span class="hint">{event.cameraTitle}</span>
      </span>
      <span class="row-time">
        <time dateTime={new Date(event.begin).toISOString()}>{timeOfDay(event.begin)}</time>
        <span class={event.end === null ? 'going-on' : 'hint'}>{length}</span>
      </span>
    </a>
  )
}

function days(events: readonly EventNotice[], today: number): [day: string, events: EventNotice[]][] {
  const byDay = new Map<string, EventNotice[]>()
  for (const event of events) {
    const day = dayOf(event.begin, today)
    const known = byDay.get(day)
    if (known) known.push(event)
    else byDay.set(day, [event])
  }
  return [...byDay]
}
