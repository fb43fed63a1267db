import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type Signal, useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { cameras } from '../state/cameras.ts'
import { noticeSignedOut } from '../state/session.ts'
import { watchArrivals } from './arrivals.ts'
import { type ConnectionEvents, type LiveConnection, type LiveStatus, LiveSupervisor } from './live-supervisor.ts'
import { playWithSound } from './sound.ts'
import { warmUp } from './warm-peer.ts'
import { openWhep, type WhepSession } from './whep-client.ts'

export interface Live {
  video: RefObject<HTMLVideoElement | null>
  status: Signal<LiveStatus>
  session: Signal<WhepSession | undefined>
  /** When the last frame came onto the screen, ms since the Unix epoch. */
  lastFrameAt(): number | undefined
  retry(): void
}

/** Keeps a camera's live picture in a <video> for as long as the component is there. */
export function useLive(camera: string): Live {
  const video = useRef<HTMLVideoElement>(null)
  const status = useSignal<LiveStatus>({ state: 'connecting' })
  const session = useSignal<WhepSession | undefined>(undefined)
  const supervisor = useRef<LiveSupervisor>(undefined)

  useEffect(() => {
    const live = new LiveSupervisor({
      connect: (events, signal) => show(camera, video.current!, session, events, signal),
      onStatus: (next) => {
        status.value = next
      },
      now: () => Date.now(),
      timer: (run, ms) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
      random: Math.random,
    })
    supervisor.current = live
    const visibility = () => live.setVisible(document.visibilityState === 'visible')
    const online = () => live.retryNow()
    document.addEventListener('visibilitychange', visibility)
    addEventListener('online', online)
    const stopListening = cameras.subscribe((all) => live.setCameraOnline(all?.get(camera)?.online ?? true))
    live.start()
    return () => {
      stopListening()
      document.removeEventListener('visibilitychange', visibility)
      removeEventListener('online', online)
      live.close()
      supervisor.current = undefined
    }
  }, [camera])

  return useMemo(
    () => ({
      video,
      status,
      session,
      lastFrameAt: () => supervisor.current?.lastFrameAt,
      retry: () => supervisor.current?.retryNow(),
    }),
    [status, session],
  )
}

/** Opens a session and puts it on the screen; every frame shown is reported. */
async function show(
  camera: string,
  video: HTMLVideoElement,
  current: Signal<WhepSession | undefined>,
  events: ConnectionEvents,
  signal: AbortSignal,
): Promise<LiveConnection> {
  let session: WhepSession
  try {
    session = await openWhep(camera, events.lost, signal)
  } catch (error) {
    noticeSignedOut(error)
    throw error
  }
  let open = true
  const frame = () => {
    if (!open) return
    events.frame()
    video.requestVideoFrameCallback(frame)
  }
  const stopArrivals = watchArrivals(session.video, events.arrived)
  video.srcObject = session.stream
  video.requestVideoFrameCallback(frame)
  playWithSound(video).catch((error: unknown) => {
    if (open) events.lost(new PorchlightError('session_ended', undefined, { cause: error }))
  })
  current.value = session
  // The next connection, after a loss or for the next camera, finds its peer made.
  setTimeout(warmUp, 3_000)
  return {
    close: () => {
      if (!open) return
      open = false
      stopArrivals()
      current.value = undefined
      session.close()
    },
  }
}
