import { useRef } from 'preact/hooks'
import type { Timeline, TimeSpan } from '../api/calls.ts'
import { secondOfDay, timeOfDay } from '../state/time.ts'
import { Icon } from '../ui/icons.tsx'
import { eventAt, gapAt, hasRecorded } from './day-facts.ts'
import { gapSentences } from './gap-sentences.ts'
import { momentAt, percent, placeOf, stretchOf, ticksOf } from './scale.ts'

/** A finger that moved less has tapped, px. */
const tapPx = 6

interface TimeStripProps {
  label: string
  kind: 'near' | 'day'
  /** What is drawn, from left to right. */
  scale: TimeSpan
  /** Where the moment may go. */
  day: TimeSpan
  moment: number
  /** What is to come is drawn as not there yet, ms since the Unix epoch. */
  nowMs: number
  timeline: Timeline | undefined
  /** Of an arrow key, ms; a page is ten of them. */
  stepMs: number
  ticks: number
  /** Shows a moment. */
  onMove(ms: number): void
  /** A finger holds a moment, and may go on to others; `onMove` says when it has let go. */
  onHold(ms: number): void
}

/** Where a finger took hold. */
interface Grip {
  x: number
  moment: number
  moved: boolean
  /** The moment that it holds by now. */
  holds: number
}

/**
 * A stretch of a day: what is recorded, what is missing, what happened. `near` stands around the moment and is pulled along
 * under its mark; on `day` the finger points at the moment.
 */
export function TimeStrip(props: TimeStripProps) {
  const { kind, scale, day, moment, timeline, stepMs } = props
  const grip = useRef<Grip | undefined>(undefined)
  const latest = Math.min(day.toMs - 1, Math.max(props.nowMs, day.fromMs))
  const within = (ms: number) => Math.min(latest, Math.max(day.fromMs, ms))
  const move = (ms: number) => props.onMove(within(ms))

  const pointedAt = (strip: HTMLElement, x: number) => {
    const { left, width } = strip.getBoundingClientRect()
    return momentAt(scale, (x - left) / width)
  }
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return
    const strip = event.currentTarget as HTMLElement
    strip.setPointerCapture(event.pointerId)
    grip.current = { x: event.clientX, moment, moved: false, holds: moment }
  }
  const onPointerMove = (event: PointerEvent) => {
    const held = grip.current
    if (!held) return
    const strip = event.currentTarget as HTMLElement
    const dx = event.clientX - held.x
    held.moved ||= Math.abs(dx) > tapPx
    if (!held.moved) return
    const pulled = (dx / strip.getBoundingClientRect().width) * (scale.toMs - scale.fromMs)
    held.holds = within(kind === 'day' ? pointedAt(strip, event.clientX) : held.moment - pulled)
    props.onHold(held.holds)
  }
  const onPointerUp = (event: PointerEvent) => {
    const held = grip.current
    grip.current = undefined
    if (held) move(held.moved ? held.holds : pointedAt(event.currentTarget as HTMLElement, event.clientX))
  }
  const onPointerCancel = () => {
    const held = grip.current
    grip.current = undefined
    if (held?.moved) move(held.holds)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const keys: Record<string, number> = {
      ArrowLeft: moment - stepMs,
      ArrowDown: moment - stepMs,
      ArrowRight: moment + stepMs,
      ArrowUp: moment + stepMs,
      PageDown: moment - 10 * stepMs,
      PageUp: moment + 10 * stepMs,
      Home: day.fromMs,
      End: latest,
    }
    const to = keys[event.key]
    if (to === undefined) return
    event.preventDefault()
    move(to)
  }

  return (
    <div
      class={`time-strip time-strip-${kind}`}
      role="slider"
      tabIndex={0}
      aria-label={props.label}
      aria-valuemin={Math.round(day.fromMs)}
      aria-valuemax={Math.round(latest)}
      aria-valuenow={Math.round(moment)}
      aria-valuetext={valueText(timeline, moment)}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerCancel}
      onKeyDown={onKeyDown}
    >
      <div class="time-track">
        {timeline?.recorded.map(([from, to]) => (
          <Stretch key={from} kind="recorded" scale={scale} from={from} to={to} />
        ))}
        {timeline?.gaps.map(([from, to]) => (
          <Stretch key={from} kind="gap" scale={scale} from={from} to={to} />
        ))}
        <Stretch kind="to-come" scale={scale} from={props.nowMs} to={Math.max(scale.toMs, props.nowMs)} />
      </div>
      {timeline?.events.map(({ id, kind: what, beginAt }) => {
        const place = placeOf(scale, beginAt)
        if (place < 0 || place > 1) return null
        return (
          <i key={id} class="time-event" data-kind={what} style={{ left: percent(place) }}>
            {kind === 'near' && <Icon name={what === 'ring' ? 'bell' : 'walk'} />}
          </i>
        )
      })}
      {ticksOf(scale, props.ticks).map((tick) => (
        <span key={tick} class="time-tick" style={{ left: percent(placeOf(scale, tick)) }}>
          {timeOfDay(tick)}
        </span>
      ))}
      <i class="time-mark" style={{ left: percent(placeOf(scale, moment)) }} />
    </div>
  )
}

function Stretch({ kind, scale, from, to }: { kind: string; scale: TimeSpan; from: number; to: number }) {
  const style = stretchOf(scale, from, to, 0.3)
  return style ? <i class="time-stretch" data-kind={kind} style={style} /> : null
}

/** What a screen reader says of a moment. */
function valueText(timeline: Timeline | undefined, ms: number): string {
  const time = secondOfDay(ms)
  if (!timeline) return time
  const event = eventAt(timeline, ms)
  if (event) return `${time}, ${event.kind === 'ring' ? 'ring' : 'motion'} at ${timeOfDay(event.beginAt)}`
  if (hasRecorded(timeline, { fromMs: ms, toMs: ms + 1 })) return `${time}, recorded`
  const gap = gapAt(timeline, ms)
  return `${time}, ${gap ? gapSentences[gap].toLowerCase() : 'nothing recorded'}`
}
