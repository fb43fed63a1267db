import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { releaseFloor, takeFloor } from '../api/calls.ts'
import { FloorTakenError, sentenceOf } from '../api/request.ts'
import type { WhepSession } from '../live/whep-client.ts'
import { floors } from '../state/cameras.ts'
import { talking } from '../state/talking.ts'
import { now } from '../state/time.ts'
import { Icon } from '../ui/icons.tsx'
import { openMicrophone, restMicrophone } from './microphones.ts'
import { otherTalker } from './other-talker.ts'
import { TalkLine, type TalkStatus } from './talk-line.ts'

/**
 * Press and hold to talk: with a finger, with the space bar, with Enter.
 * @param impossible why this page cannot talk, where it cannot
 */
export function TalkButton(props: {
  camera: string
  session: WhepSession | undefined
  impossible: string | undefined
}) {
  const { camera, session, impossible } = props
  const status = useSignal<TalkStatus>({ state: 'idle' })
  const line = useMemo(
    () =>
      session?.talk ? openLine(camera, session.id, session.talk, (next) => show(status, camera, next)) : undefined,
    [camera, session, status],
  )
  useEffect(() => {
    const letGo = () => line?.release()
    addEventListener('blur', letGo)
    return () => {
      removeEventListener('blur', letGo)
      line?.release()
    }
  }, [line])

  const other = otherTalker(floors.value.get(camera), session?.id, now.value)
  const { state, error } = status.value
  const free = line !== undefined && (other === undefined || state === 'talking')
  const key = (event: KeyboardEvent, down: boolean) => {
    if (event.key !== ' ' && event.key !== 'Enter') return
    event.preventDefault()
    if (!event.repeat) down ? line?.press() : line?.release()
  }
  return (
    <div class="talk">
      <button
        type="button"
        class="talk-button"
        data-state={other === undefined || state === 'talking' ? state : 'taken'}
        aria-pressed={state === 'talking'}
        aria-disabled={!free}
        onPointerDown={(event) => {
          if (!free || event.button !== 0) return
          event.currentTarget.setPointerCapture(event.pointerId)
          line.press()
        }}
        onPointerUp={() => line?.release()}
        onPointerCancel={() => line?.release()}
        onLostPointerCapture={() => line?.release()}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={(event) => free && key(event, true)}
        onKeyUp={(event) => key(event, false)}
      >
        <Icon name="microphone" />
        <span>{labelOf(state, other)}</span>
      </button>
      <p class="talk-said" role="status" aria-live="polite">
        {state === 'refused' && error ? refusal(error) : (impossible ?? '')}
      </p>
    </div>
  )
}

function labelOf(state: TalkStatus['state'], other: string | undefined): string {
  if (state === 'talking') return 'Talking'
  if (state === 'opening') return 'Opening…'
  return other === undefined ? 'Hold to talk' : `${other} is talking`
}

function refusal(error: unknown): string {
  return error instanceof FloorTakenError && error.holder ? `${error.holder} is talking.` : sentenceOf(error)
}

function show(status: { value: TalkStatus }, camera: string, next: TalkStatus): void {
  status.value = next
  talking.value = next.state === 'talking' || next.state === 'opening' ? camera : undefined
  if (next.state === 'talking') navigator.vibrate?.(20)
}

function openLine(camera: string, session: string, sender: RTCRtpSender, onStatus: (status: TalkStatus) => void) {
  return new TalkLine<MediaStreamTrack>({
    takeFloor: () => takeFloor(camera, session),
    releaseFloor: () => releaseFloor(camera, session),
    openMicrophone,
    send: async (track) => {
      // A session that has ended has no line to clear.
      if (track !== null || sender.transport?.state === 'connected') await sender.replaceTrack(track)
    },
    restMicrophone,
    onStatus,
    timer: (run, ms) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
  })
}
