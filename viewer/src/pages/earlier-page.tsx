import { useSignal } from '@preact/signals'
import type { TimeSpan } from '../api/calls.ts'
import { sentenceOf } from '../api/request.ts'
import { ClipActions } from '../earlier/clip-actions.tsx'
import { Controls } from '../earlier/controls.tsx'
import { gapAt } from '../earlier/day-facts.ts'
import { FingerPictureView } from '../earlier/finger-picture.tsx'
import { gapSentences } from '../earlier/gap-sentences.ts'
import { placeOf } from '../earlier/scale.ts'
import { TimeStrip } from '../earlier/time-strip.tsx'
import { type Earlier, useEarlier } from '../earlier/use-earlier.ts'
import { hrefOf } from '../route.ts'
import { cameras } from '../state/cameras.ts'
import { dayOf, now, secondOfDay } from '../state/time.ts'
import { Icon } from '../ui/icons.tsx'

/** The strip around the moment shows so much, ms. */
const nearMs = 20 * 60_000

/** A day of one camera: the picture of any moment of it, scrubbed with a thumb. */
export function EarlierPage({ id, at }: { id: string; at: number | undefined }) {
  const earlier = useEarlier(id, at)
  const title = cameras.value?.get(id)?.title ?? id
  const { value: timeline } = earlier.timeline
  const { value: moment } = earlier.moment
  const { value: day } = earlier.day
  const today = day.toMs > now.value
  const around: TimeSpan | undefined =
    moment === undefined ? undefined : { fromMs: moment - nearMs / 2, toMs: moment + nearMs / 2 }
  const heldBy = useSignal<'near' | 'day' | undefined>(undefined)
  const onMove = (ms: number) => {
    heldBy.value = undefined
    earlier.goTo(ms)
  }
  const onHold = (kind: 'near' | 'day') => (ms: number) => {
    heldBy.value = kind
    earlier.hold(ms)
  }
  const strip = { day, timeline, nowMs: now.value, onMove }
  // the strip around the moment moves along under its middle
  const finger =
    moment === undefined || heldBy.value === undefined
      ? undefined
      : heldBy.value === 'near'
        ? 0.5
        : placeOf(day, moment)
  return (
    <main class="page earlier-page">
      <header class="bar">
        <a class="round small" href={hrefOf({ page: 'camera', id })} aria-label="Back to the live picture">
          <Icon name="back" />
        </a>
        <h1>{title}</h1>
        <a class="round small live-again" href={hrefOf({ page: 'camera', id })}>
          <i class="dot" /> Live
        </a>
      </header>
      <Picture earlier={earlier} title={title} finger={finger} />
      <div class="earlier-day">
        <button type="button" class="round small" aria-label="Previous day" onClick={() => earlier.changeDay(-1)}>
          <Icon name="back" />
        </button>
        <p class="earlier-time">
          <span class="hint">{dayOf(day.fromMs, now.value)}</span>
          <time>{moment === undefined ? '––:––' : secondOfDay(moment)}</time>
        </p>
        <button
          type="button"
          class="round small"
          aria-label="Next day"
          disabled={today}
          onClick={() => earlier.changeDay(1)}
        >
          <Icon name="forward" />
        </button>
      </div>
      {moment !== undefined && around && (
        <>
          <TimeStrip
            {...{ ...strip, moment, scale: around, ticks: 5, stepMs: 5_000, onHold: onHold('near') }}
            kind="near"
            label="Moment"
          />
          <TimeStrip
            {...{ ...strip, moment, scale: day, ticks: 5, stepMs: 300_000, onHold: onHold('day') }}
            kind="day"
            label="Time of day"
          />
        </>
      )}
      <Controls earlier={earlier} />
      {timeline && moment !== undefined && (
        <ClipActions camera={id} title={title} timeline={timeline} moment={moment} />
      )}
    </main>
  )
}

/** @param finger where one scrubs, 0 … 1 from left to right; undefined: nobody does */
function Picture({ earlier, title, finger }: { earlier: Earlier; title: string; finger: number | undefined }) {
  const silent = useSignal(true)
  const { value: shown } = earlier.shown
  const { value: error } = earlier.error
  const { value: small } = earlier.underFinger
  const sentence = emptySentence(earlier)
  return (
    <section
      class="earlier-picture"
      data-state={shown}
      data-held={finger !== undefined}
      aria-label={`Recording: ${title}`}
    >
      <video ref={earlier.video} playsInline muted={silent.value} disablePictureInPicture>
        <track kind="captions" />
      </video>
      {finger !== undefined && small && <FingerPictureView picture={small} place={finger} />}
      <div class="picture-said" role="status" aria-live="polite">
        {(shown === 'waiting' || shown === 'loading') && <span class="spinner" role="img" aria-label="Loading" />}
        {shown === 'empty' && <strong>{sentence}</strong>}
        {shown === 'failed' && error && <strong>{sentenceOf(error)}</strong>}
        {earlier.atEnd.value && shown === 'shown' && <span class="chip">This is as far as it is recorded.</span>}
      </div>
      {shown === 'failed' ? (
        <button type="button" class="quiet picture-retry" onClick={earlier.retry}>
          Try again
        </button>
      ) : (
        <div class="picture-tools">
          <button
            type="button"
            class="round small"
            aria-label={silent.value ? 'Sound on' : 'Sound off'}
            aria-pressed={!silent.value}
            onClick={() => {
              silent.value = !silent.value
            }}
          >
            <Icon name={silent.value ? 'soundOff' : 'soundOn'} />
          </button>
        </div>
      )}
    </section>
  )
}

/** Why there is no picture of this moment. */
function emptySentence({ timeline: { value: timeline }, moment: { value: moment } }: Earlier): string {
  if (timeline && timeline.recorded.length === 0) return 'Nothing was recorded on this day.'
  const gap = timeline && moment !== undefined ? gapAt(timeline, moment) : undefined
  return gap ? gapSentences[gap] : 'Nothing was recorded at this time.'
}
