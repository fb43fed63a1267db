import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { type EventDetail, getEvent } from '../api/calls.ts'
import { sentenceOf } from '../api/request.ts'
import { playRecording } from '../playback/play-recording.ts'
import { hrefOf } from '../route.ts'
import { eventList } from '../state/events.ts'
import { noticeSignedOut } from '../state/session.ts'
import { dayOf, lasting, now, timeOfDay } from '../state/time.ts'
import { KindIcon, kindLabel } from '../ui/event-parts.tsx'
import { Icon } from '../ui/icons.tsx'
import { KeepButton } from '../ui/keep-button.tsx'

/** While nothing is recorded yet, the gateway is asked again so often, ms. */
const askAgainMs = 1_500

/** One event: its recording, from the pre-roll on, also while it is still being written. */
export function EventPage({ id }: { id: string }) {
  const event = useSignal<EventDetail | undefined>(undefined)
  const error = useSignal<PorchlightError | undefined>(undefined)
  const tries = useSignal(0)
  const said = useSignal<string | undefined>(undefined)
  const notice = eventList.value.events.find((known) => known.eventId === id)
  const shown = notice ?? event.value
  const recording = event.value?.recording

  useEffect(() => {
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      const detail = await getEvent(id)
      if (abort.signal.aborted) return
      event.value = detail
      if (detail.recording.state === 'none' && detail.end === null) timer = setTimeout(() => void ask(), askAgainMs)
    }
    const ask = () =>
      read().catch((thrown: unknown) => {
        noticeSignedOut(thrown)
        if (!abort.signal.aborted) error.value = asPorchlightError(thrown)
      })
    void ask()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [id, tries.value])

  const fail = (thrown: unknown) => {
    error.value = asPorchlightError(thrown, 'playback_failed')
  }
  const again = () => {
    error.value = undefined
    event.value = undefined
    tries.value += 1
  }
  return (
    <main class="page">
      <header class="bar">
        <a class="round small" href={hrefOf({ page: 'events' })} aria-label="Back to all events">
          <Icon name="back" />
        </a>
        <h1>{shown ? kindLabel(shown) : 'Event'}</h1>
      </header>
      {error.value ? (
        <div class="card" role="alert">
          <p class="problem">{sentenceOf(error.value)}</p>
          <button type="button" class="quiet" onClick={again}>
            Try again
          </button>
        </div>
      ) : recording && recording.state !== 'none' && event.value ? (
        <Player event={event.value} onError={fail} />
      ) : (
        <div class="player-wait" role="status">
          {recording ? (
            <p>
              {event.value?.end === null ? 'The recording is about to begin…' : 'Nothing was recorded for this event.'}
            </p>
          ) : (
            <span class="spinner" role="img" aria-label="Loading" />
          )}
        </div>
      )}
      {shown && (
        <section class="card event-facts" aria-label="About this event">
          <div class="event-head">
            <p>
              <KindIcon event={shown} />
              <strong>{kindLabel(shown)}</strong> at {shown.cameraTitle}
            </p>
            <KeepButton
              eventId={id}
              said={(sentence) => {
                said.value = sentence
              }}
            />
          </div>
          <p class="hint">
            {dayOf(shown.begin, now.value)}, {timeOfDay(shown.begin)}
            {shown.end === null ? ', going on' : `, ${lasting(shown.end - shown.begin)}`}
          </p>
          {recording && recording.gaps.length > 0 && <p class="hint">{gapSentence(recording.gaps)}</p>}
          {said.value && (
            <p class="problem" role="alert">
              {said.value}
            </p>
          )}
          <p class="event-links">
            <a class="button quiet" href={hrefOf({ page: 'camera', id: shown.camera })}>
              Live picture
            </a>
            <a class="button quiet" href={hrefOf({ page: 'earlier', id: shown.camera, at: shown.begin })}>
              Its day
            </a>
          </p>
        </section>
      )}
    </main>
  )
}

function Player({ event, onError }: { event: EventDetail; onError(error: unknown): void }) {
  const video = useRef<HTMLVideoElement>(null)
  const { recording } = event
  // Where the event lies within the recording, s: before it is the pre-roll.
  const moment = Math.max(0, (event.begin - recording.fromMs) / 1_000)
  useEffect(() => {
    let end: (() => void) | undefined
    let gone = false
    playRecording(video.current!, event.eventId, recording.state, onError).then((stop) => {
      if (gone) stop()
      else end = stop
    }, onError)
    return () => {
      gone = true
      end?.()
    }
  }, [event.eventId])
  const jump = () => {
    if (video.current) video.current.currentTime = moment
  }
  return (
    <>
      <video ref={video} class="player" data-recording={recording.state} controls playsInline autoPlay muted>
        <track kind="captions" />
      </video>
      {moment >= 2 && (
        <button type="button" class="quiet" onClick={jump}>
          Jump to the {event.kind === 'ring' ? 'ring' : 'motion'} ({lasting(moment * 1_000)} in)
        </button>
      )}
    </>
  )
}

function gapSentence(gaps: readonly [number, number][]): string {
  const missing = gaps.reduce((sum, [from, to]) => sum + (to - from), 0)
  return `${gaps.length === 1 ? 'One stretch is' : `${gaps.length} stretches are`} missing, ${lasting(missing)} in all.`
}
