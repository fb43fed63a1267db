import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'
import { type ReadonlySignal, type Signal, useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { getTimeline, type Timeline, type TimeSpan } from '../api/calls.ts'
import { ClipPlayer } from '../playback/clip-player.ts'
import { noticeSignedOut } from '../state/session.ts'
import { now } from '../state/time.ts'
import { dayOfMoment, hasRecorded, nextRecorded } from './day-facts.ts'
import { type FingerPicture, FingerPictures } from './finger-pictures.ts'

/** So often the timeline of a day that is not over is read again, ms. */
const readAgainMs = 15_000
/** Without a wish the day begins so far before its newest picture, ms. */
const lookBackMs = 30_000

export type Shown = 'waiting' | 'loading' | 'shown' | 'empty' | 'failed'

/** A day of a camera, and the moment of it that is shown. */
export interface Earlier {
  video: RefObject<HTMLVideoElement | null>
  day: ReadonlySignal<TimeSpan>
  /** undefined until it was read. */
  timeline: ReadonlySignal<Timeline | undefined>
  /** ms since the Unix epoch; undefined while nobody knows what there is. */
  moment: ReadonlySignal<number | undefined>
  shown: ReadonlySignal<Shown>
  error: ReadonlySignal<PorchlightError | undefined>
  playing: ReadonlySignal<boolean>
  /** It was played as far as it is recorded. */
  atEnd: ReadonlySignal<boolean>
  speed: Signal<number>
  /** The small picture of the moment that a finger holds; undefined: there is none. */
  underFinger: ReadonlySignal<FingerPicture | 'waiting' | undefined>
  /** Shows a moment of any day; never one to come. */
  goTo(ms: number): void
  /** A finger holds a moment of this day: small pictures say what it is, until `goTo` shows it. */
  hold(ms: number): void
  /** @param days back where negative */
  changeDay(days: number): void
  togglePlaying(): void
  retry(): void
}

/** @param at the moment to begin with, ms since the Unix epoch; undefined: near the newest picture */
export function useEarlier(camera: string, at: number | undefined): Earlier {
  const video = useRef<HTMLVideoElement>(null)
  const player = useRef<ClipPlayer>(undefined)
  const day = useSignal(dayOfMoment(at ?? now.value))
  const timeline = useSignal<Timeline | undefined>(undefined)
  const moment = useSignal(at)
  const shown = useSignal<Shown>('waiting')
  const error = useSignal<PorchlightError | undefined>(undefined)
  const playing = useSignal(false)
  const atEnd = useSignal(false)
  const speed = useSignal(1)
  const tries = useSignal(0)
  const small = useRef<FingerPictures>(undefined)
  const underFinger = useSignal<FingerPicture | 'waiting' | undefined>(undefined)

  const fail = (thrown: unknown) => {
    noticeSignedOut(thrown)
    error.value = asPorchlightError(thrown)
    shown.value = 'failed'
    setPlaying(false)
  }
  const setPlaying = (plays: boolean) => {
    playing.value = plays
    if (plays) player.current?.play()
    else player.current?.pause()
  }
  const show = (ms: number) => {
    moment.value = ms
    error.value = undefined
    player.current?.show(ms)
  }
  const goTo = (ms: number) => {
    const wanted = Math.min(ms, now.value)
    atEnd.value = false
    const { fromMs, toMs } = day.value
    if (wanted < fromMs || wanted >= toMs) openDay(dayOfMoment(wanted))
    show(wanted)
  }
  const hold = (ms: number) => {
    moment.value = ms
    atEnd.value = false
    player.current?.hold()
    const nothing = timeline.value && !hasRecorded(timeline.value, { fromMs: ms, toMs: ms + 1 })
    if (small.current?.able) small.current.at(nothing ? undefined : ms)
    else player.current?.glance(ms)
  }
  const openDay = (span: TimeSpan) => {
    day.value = span
    timeline.value = undefined
  }
  const read = async (): Promise<Timeline | undefined> => {
    const span = day.value
    const answer = await getTimeline(camera, span)
    if (day.value !== span) return undefined
    timeline.value = answer
    return answer
  }
  /** What follows the end of a clip: the rest of its recording, or the next one of the day. */
  const playOn = async (endMs: number) => {
    const known = timeline.value
    const next =
      (known && nextRecorded(known, endMs)) ?? (await read().then((news) => news && nextRecorded(news, endMs)))
    if (next !== undefined) {
      show(next)
      return
    }
    setPlaying(false)
    atEnd.value = true
  }

  useEffect(() => {
    const opened = new ClipPlayer(
      video.current!,
      camera,
      {
        moment: (ms) => {
          moment.value = ms
          const { fromMs, toMs } = day.value
          if (ms < fromMs || ms >= toMs) openDay(dayOfMoment(ms))
        },
        state: (state) => {
          // of another day, before anybody knows what there is of this one
          if (moment.value === undefined) return
          shown.value = state
          if (state === 'empty') setPlaying(false)
        },
        ended: (ms) => void playOn(ms).catch(fail),
        failed: fail,
      },
      Date.now,
    )
    const tell = (picture: FingerPicture | 'waiting' | undefined) => {
      underFinger.value = picture
    }
    const pictures = new FingerPictures(camera, tell, Date.now)
    player.current = opened
    small.current = pictures
    if (at !== undefined) opened.show(at)
    return () => {
      player.current = undefined
      small.current = undefined
      opened.close()
      pictures.close()
    }
  }, [camera])

  // Another day is read at once, and one that goes on again and again.
  useEffect(() => {
    const begin = () =>
      read().then((answer) => {
        if (!answer || moment.value !== undefined) return
        const newest = answer.recorded.at(-1)
        if (newest) show(Math.max(newest[0], newest[1] - lookBackMs))
        else shown.value = 'empty'
      }, fail)
    void begin()
    const timer = setInterval(() => {
      if (day.value.toMs > Date.now() && !document.hidden) {
        read().catch((thrown: unknown) => console.info('The timeline could not be read again:', thrown))
      }
    }, readAgainMs)
    return () => clearInterval(timer)
  }, [camera, day.value, tries.value])

  useEffect(() => {
    if (!video.current) return
    // the next clip of the same element begins with the default
    video.current.defaultPlaybackRate = speed.value
    video.current.playbackRate = speed.value
  }, [speed.value])

  return {
    ...{ video, day, timeline, moment, shown, error, playing, atEnd, speed, underFinger, goTo, hold },
    changeDay: (days) => {
      const other = dayOfMoment(day.value.fromMs, days)
      // first: a pause tells its moment, and that would open its own day again
      setPlaying(false)
      openDay(other)
      atEnd.value = false
      error.value = undefined
      shown.value = 'waiting'
      moment.value = undefined
    },
    togglePlaying: () => {
      const { value: ms } = moment
      const start = ms !== undefined && timeline.value ? nextRecorded(timeline.value, ms) : undefined
      if (playing.value || start === undefined) {
        setPlaying(false)
        return
      }
      atEnd.value = false
      if (shown.value !== 'shown' && start !== ms) show(start)
      setPlaying(true)
    },
    retry: () => {
      error.value = undefined
      shown.value = 'waiting'
      tries.value += 1
      if (moment.value !== undefined) show(moment.value)
    },
  }
}
