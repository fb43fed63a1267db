import type { CameraNotice } from '@porchlight/proto/messages/notice.ts'
import { useEffect } from 'preact/hooks'
import { warmUp } from '../live/warm-peer.ts'
import { hrefOf } from '../route.ts'
import { cameraStatus } from '../state/camera-status.ts'
import { cameras } from '../state/cameras.ts'
import { contact } from '../state/contact.ts'
import { eventList, loadMoreEvents } from '../state/events.ts'
import { ago, now } from '../state/time.ts'
import { KindIcon, kindLabel, Still } from '../ui/event-parts.tsx'
import { Icon, Lamp } from '../ui/icons.tsx'

/** All cameras with their state. */
export function CamerasPage() {
  useEffect(() => {
    // The tap that opens a camera finds keys and offer made.
    warmUp()
    if (eventList.value.next === undefined) void loadMoreEvents()
  }, [])
  const list = cameras.value
  return (
    <main class="page">
      <header class="bar">
        <h1>Cameras</h1>
      </header>
      {list === undefined ? (
        <div class="card camera-card skeleton" role="status" aria-label="Loading cameras" />
      ) : list.size === 0 ? (
        <div class="empty">
          <Lamp />
          <p>No camera yet. Enrol a device, and its cameras appear here by themselves.</p>
        </div>
      ) : (
        <ul class="cards" aria-label="Cameras">
          {[...list.values()].map((camera) => (
            <li key={camera.id}>
              <CameraCard camera={camera} />
            </li>
          ))}
        </ul>
      )}
    </main>
  )
}

function CameraCard({ camera }: { camera: CameraNotice }) {
  const status = cameraStatus(camera, now.value, contact.value.ok)
  const last = eventList.value.events.find((event) => event.camera === camera.id)
  return (
    <a
      class="card camera-card"
      href={hrefOf({ page: 'camera', id: camera.id })}
      data-camera={camera.id}
      data-state={status.state}
      onPointerDown={warmUp}
    >
      <span class="camera-still">
        {last?.hasStill ? <Still event={last} /> : <span class="still still-none" />}
        {last && (
          <span class="chip">
            <KindIcon event={last} /> {kindLabel(last)} {ago(now.value - last.begin)}
          </span>
        )}
        <span class="play" aria-hidden="true">
          <Icon name={status.state === 'live' ? 'play' : status.state === 'connecting' ? 'clock' : 'offline'} />
        </span>
      </span>
      <span class="camera-text">
        <span class="camera-name">
          <strong>{camera.title}</strong>
          {status.detail && <span class="hint">{status.detail}</span>}
        </span>
        {camera.recording && (
          <span class="chip chip-recording">
            <i class="dot" /> Recording
          </span>
        )}
        <span class={`chip chip-${status.state}`}>
          <i class="dot" /> {status.label}
        </span>
      </span>
    </a>
  )
}
