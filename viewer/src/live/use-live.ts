import { type Signal, useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { cameras } from '../state/cameras.ts'
import { type LiveStatus, LiveSupervisor } from './live-supervisor.ts'
import { networkChanged, type Shown, showLive } from './show-live.ts'

export interface Live {
  video: RefObject<HTMLVideoElement | null>
  status: Signal<LiveStatus>
  /** What is open, by whichever way. */
  shown: Signal<Shown | undefined>
  /** When the last frame came onto the screen, ms since the Unix epoch. */
  lastFrameAt(): number | undefined
  retry(): void
}

/** Keeps a camera's live picture in a <video> for as long as the component is there. */
export function useLive(camera: string): Live {
  const video = useRef<HTMLVideoElement>(null)
  const status = useSignal<LiveStatus>({ state: 'connecting' })
  const shown = useSignal<Shown | undefined>(undefined)
  const supervisor = useRef<LiveSupervisor>(undefined)

  useEffect(() => {
    const live = new LiveSupervisor({
      connect: (events, signal) => {
        const onShown = (next: Shown | undefined) => {
          shown.value = next
        }
        return showLive(camera, video.current!, onShown, events, signal)
      },
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
    const online = () => {
      networkChanged()
      live.retryNow()
    }
    document.addEventListener('visibilitychange', visibility)
    addEventListener('online', online)
    const stopListening = cameras.subscribe((all) => {
      const known = all?.get(camera)
      live.setCameraOff(known?.recordingMode === 'off')
      live.setCameraOnline(known?.online ?? true)
    })
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
      shown,
      lastFrameAt: () => supervisor.current?.lastFrameAt,
      retry: () => supervisor.current?.retryNow(),
    }),
    [status, shown],
  )
}
