import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Timeline } from '../api/calls.ts'
import { sentenceOf } from '../api/request.ts'
import { hrefOf } from '../route.ts'
import { noticeSignedOut } from '../state/session.ts'
import { now, secondOfDay } from '../state/time.ts'
import { Icon } from '../ui/icons.tsx'
import { KeepButton } from '../ui/keep-button.tsx'
import { around, eventAt, eventSpan, hasRecorded } from './day-facts.ts'
import { fetchClip } from './fetch-clip.ts'
import { clipName, saveFile, saveLink } from './save-clip.ts'
import { canShare, sharing } from './share-clip.ts'
import { wantedClip } from './wanted-clip.ts'

const minuteMs = 60_000

interface ClipActionsProps {
  camera: string
  title: string
  timeline: Timeline
  moment: number
}

/** What of the day is kept: the event, or some time around the moment; saved as a file, or handed to another app. */
export function ClipActions({ camera, title, timeline, moment }: ClipActionsProps) {
  const length = useSignal<'event' | '1' | '5'>('event')
  const said = useSignal<string | undefined>(undefined)
  /** How much of a clip has come, 0 … 1; undefined: none is on its way. */
  const coming = useSignal<number | undefined>(undefined)
  /** Fetched, and the browser wants another tap before it is given on. */
  const ready = useSignal<{ wish: string; path: string; file: File } | undefined>(undefined)
  const abort = useRef<AbortController>(undefined)
  useEffect(() => () => abort.current?.abort(), [])

  const event = eventAt(timeline, moment)
  const choice = length.value === 'event' && !event ? '1' : length.value
  const wanted = choice === 'event' && event ? eventSpan(event) : around(moment, Number(choice) * minuteMs)
  const { wish, span, path } = wantedClip(camera, wanted, now.value)
  const toShare = ready.value?.wish === wish ? ready.value : undefined
  const possible = hasRecorded(timeline, span) && coming.value === undefined
  const say = (sentence: string | undefined) => {
    said.value = sentence
  }

  const attempt = async (action: (signal: AbortSignal) => Promise<void>) => {
    abort.current = new AbortController()
    const { signal } = abort.current
    say(undefined)
    coming.value = 0
    try {
      await action(signal)
    } catch (thrown) {
      if (signal.aborted) return
      noticeSignedOut(thrown)
      say(sentenceOf(asPorchlightError(thrown)))
    } finally {
      coming.value = undefined
    }
  }
  const fetched = async (signal: AbortSignal): Promise<File | undefined> => {
    const progress = (share: number) => {
      if (!signal.aborted) coming.value = share
    }
    const clip = await fetchClip(path, { signal, progress })
    return clip && new File([clip], clipName(title, span.fromMs, clip.type), { type: clip.type })
  }
  const save = () =>
    attempt(async (signal) => {
      // of what goes on there is more by now than what was fetched to be shared
      const file = toShare?.path === path ? toShare.file : await fetched(signal)
      if (file) saveFile(file)
      else saveLink(path)
    })
  const share = () =>
    attempt(async (signal) => {
      const file = toShare?.file ?? (canShare() ? await fetched(signal) : undefined)
      const link = new URL(hrefOf({ page: 'earlier', id: camera, at: span.fromMs }), location.href).href
      ready.value = undefined
      const outcome = await sharing(file, title, link)
      if (outcome === 'tap-again' && file) ready.value = { wish, path: toShare?.path ?? path, file }
      if (outcome === 'refused') throw new PorchlightError('share_failed')
    })

  return (
    <section class="clip-actions" aria-label="Keep a clip">
      <div class="clip-head">
        <p class="hint clip-span">
          {secondOfDay(span.fromMs)} – {secondOfDay(span.toMs)}
        </p>
        {event && <KeepButton key={event.id} eventId={event.id} said={say} />}
      </div>
      <select
        aria-label="What to keep"
        value={choice}
        onChange={({ currentTarget }) => {
          length.value = currentTarget.value as typeof length.value
        }}
      >
        {event && <option value="event">The {event.kind === 'ring' ? 'ring' : 'motion'}</option>}
        <option value="1">1 minute</option>
        <option value="5">5 minutes</option>
      </select>
      <button type="button" class="quiet" disabled={!possible} onClick={() => void save()}>
        <Icon name="save" /> Save
      </button>
      {'share' in navigator && (
        <button type="button" class="quiet" disabled={!possible} onClick={() => void share()}>
          <Icon name="share" /> {toShare ? 'Share now' : 'Share'}
        </button>
      )}
      {coming.value !== undefined && (
        <div class="clip-coming">
          <progress aria-label="The clip is coming" value={coming.value} />
          {Math.floor(coming.value * 100)} %
          <button type="button" class="quiet" onClick={() => abort.current?.abort()}>
            Cancel
          </button>
        </div>
      )}
      <p class="clip-said" role="status">
        {said.value ?? (toShare ? 'The clip is here: tap Share now.' : '')}
      </p>
    </section>
  )
}
