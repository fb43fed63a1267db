import { useSignal } from '@preact/signals'
import { ConnectionPanel } from '../live/connection-panel.tsx'
import { LivePicture } from '../live/live-picture.tsx'
import { useLive } from '../live/use-live.ts'
import { hrefOf } from '../route.ts'
import { cameras } from '../state/cameras.ts'
import { MicrophonePicker } from '../talk/microphone-picker.tsx'
import { TalkButton } from '../talk/talk-button.tsx'
import { CameraSwitch } from '../ui/camera-switch.tsx'
import { EventStrip } from '../ui/event-strip.tsx'
import { Icon } from '../ui/icons.tsx'
import { Notes } from '../ui/notes.tsx'

/** One camera: the picture as large as it goes, talk under the thumb. */
export function CameraPage({ id }: { id: string }) {
  const camera = cameras.value?.get(id)
  const live = useLive(id)
  const title = camera?.title ?? id
  const figures = useSignal(false)
  const toggleFigures = () => {
    figures.value = !figures.value
  }
  const shown = live.shown.value
  const slower = shown !== undefined && shown.whep === undefined
  return (
    <main class="page camera-page">
      <header class="bar">
        <a class="round small" href={hrefOf({ page: 'cameras' })} aria-label="Back to all cameras">
          <Icon name="back" />
        </a>
        <h1>{title}</h1>
        <button
          type="button"
          class="round small"
          aria-label="Connection"
          aria-expanded={figures.value}
          aria-controls="connection"
          onClick={toggleFigures}
        >
          <Icon name="figures" />
        </button>
      </header>
      <LivePicture live={live} camera={camera} title={title} />
      {figures.value && <ConnectionPanel session={shown?.whep} />}
      {slower && (
        <p class="hint" role="status">
          The picture comes a slower way, a second or two late: WebRTC does not show this camera here.
        </p>
      )}
      {camera && <Notes camera={camera} />}
      {camera && <CameraSwitch camera={camera} />}
      <EventStrip camera={id} />
      <footer class="camera-foot">
        {camera?.recordingMode === 'off' ? null : camera?.talk === undefined ? (
          camera && <p class="hint">This camera has no loudspeaker.</p>
        ) : (
          <>
            <TalkButton camera={id} session={shown?.whep} impossible={slower ? 'Talking needs WebRTC.' : undefined} />
            <MicrophonePicker />
          </>
        )}
      </footer>
    </main>
  )
}
