import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { clipPath, type Timeline, type TimeSpan } from '../api/calls.ts'
import { request, sentenceOf } from '../api/request.ts'
import { hrefOf } from '../route.ts'
import { noticeSignedOut } from '../state/session.ts'
import { now, secondOfDay } from '../state/time.ts'
import { Icon } from '../ui/icons.tsx'
import { around, eventAt, eventSpan, hasRecorded } from './day-facts.ts'
import { fileOf, sharing } from './share-clip.ts'

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
  const fetching = useSignal(false)
  /** Fetched, and the browser wants another tap before it is given on. */
  const ready = useSignal<{ path: string; file: File } | undefined>(undefined)
  const abort = useRef<AbortController>(undefined)
  useEffect(() => () => abort.current?.abort(), [])

  const event = eventAt(timeline, moment)
  const choice = length.value === 'event' && !event ? '1' : length.value
  const wanted = choice === 'event' && event ? eventSpan(event) : around(moment, Number(choice) * minuteMs)
  const span: TimeSpan = { fromMs: Math.round(wanted.fromMs), toMs: Math.round(Math.min(wanted.toMs, now.value)) }
  const path = clipPath(camera, span)
  const possible = hasRecorded(timeline, span)

  const attempt = async (action: (signal: AbortSignal) => Promise<void>) => {
    abort.current?.abort()
    abort.current = new AbortController()
    const { signal } = abort.current
    said.value = undefined
    fetching.value = true
    try {
      await action(signal)
    } catch (thrown) {
      if (signal.aborted) return
      noticeSignedOut(thrown)
      said.value = sentenceOf(asPorchlightError(thrown))
    } finally {
      if (!signal.aborted) fetching.value = false
    }
  }
  // One byte is asked for first: a download that fails would be a file with an error in it.
  const save = () =>
    attempt(async (signal) => {
      await request(path, { signal, range: 'bytes=0-0' })
      const link = document.createElement('a')
      link.href = path
      link.download = ''
      link.click()
    })
  const share = () =>
    attempt(async (signal) => {
      const name = `${title} ${secondOfDay(span.fromMs).replaceAll(':', '.')}.mp4`
      const known = ready.value?.path === path ? ready.value.file : undefined
      const file = known ?? (await fileOf(path, name, signal))
      const link = new URL(hrefOf({ page: 'earlier', id: camera, at: span.fromMs }), location.href).href
      ready.value = undefined
      const outcome = await sharing(file, title, link)
      if (outcome === 'tap-again' && file) ready.value = { path, file }
      if (outcome === 'refused') throw new PorchlightError('share_failed')
    })

  return (
    <section class="clip-actions" aria-label="Keep a clip">
      <p class="hint clip-span">
        {secondOfDay(span.fromMs)} – {secondOfDay(span.toMs)}
      </p>
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
      <button type="button" class="quiet" disabled={!possible || fetching.value} onClick={() => void save()}>
        <Icon name="save" /> Save
      </button>
      {'share' in navigator && (
        <button type="button" class="quiet" disabled={!possible || fetching.value} onClick={() => void share()}>
          <Icon name="share" /> {ready.value?.path === path ? 'Share now' : 'Share'}
        </button>
      )}
      <p class="clip-said" role="status">
        {said.value ?? (ready.value?.path === path ? 'The clip is here: tap Share now.' : '')}
      </p>
    </section>
  )
}
