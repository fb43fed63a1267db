import { Icon } from '../ui/icons.tsx'
import { eventAt, nextEvent, previousEvent } from './day-facts.ts'
import type { Earlier } from './use-earlier.ts'

const speeds = [0.5, 1, 2, 4, 8]

/** Plays a day on from its moment, at a speed, and goes from event to event. */
export function Controls({ earlier }: { earlier: Earlier }) {
  const { value: timeline } = earlier.timeline
  const { value: moment } = earlier.moment
  const known = timeline !== undefined && moment !== undefined
  const before = known ? previousEvent(timeline, moment) : undefined
  const after = known ? nextEvent(timeline, moment) : undefined
  const here = known ? eventAt(timeline, moment) : undefined
  const playing = earlier.playing.value
  return (
    <div class="earlier-controls" data-event={here?.kind}>
      <label class="speed">
        <select
          aria-label="Speed"
          value={String(earlier.speed.value)}
          onChange={({ currentTarget }) => {
            earlier.speed.value = Number(currentTarget.value)
          }}
        >
          {speeds.map((speed) => (
            <option key={speed} value={String(speed)}>
              {speed}×
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="round"
        aria-label="Previous event"
        disabled={!before}
        onClick={() => before && earlier.goTo(before.beginAt)}
      >
        <Icon name="previous" />
      </button>
      <button
        type="button"
        class="round play-pause"
        aria-label={playing ? 'Pause' : 'Play'}
        disabled={!known || timeline.recorded.length === 0}
        onClick={earlier.togglePlaying}
      >
        <Icon name={playing ? 'pause' : 'play'} />
      </button>
      <button
        type="button"
        class="round"
        aria-label="Next event"
        disabled={!after}
        onClick={() => after && earlier.goTo(after.beginAt)}
      >
        <Icon name="next" />
      </button>
    </div>
  )
}
