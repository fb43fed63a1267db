import type { CameraNotice } from '@porchlight/proto/messages/notice.ts'
import { useSignal } from '@preact/signals'
import { remember, remembered } from '../state/preferences.ts'
import { now } from '../state/time.ts'
import { Icon } from '../ui/icons.tsx'
import { liveSentence } from './live-sentence.ts'
import { audible, soundBlocked, switchSound } from './sound.ts'
import type { Live } from './use-live.ts'

/** The picture with what must be said over it. `data-state` on its frame is the state of the picture. */
export function LivePicture({ live, camera, title }: { live: Live; camera: CameraNotice | undefined; title: string }) {
  const status = live.status.value
  const fill = useSignal(remembered('fill') === 'on')
  const shownAt = live.lastFrameAt()
  const lastPictureAt = shownAt ?? camera?.lastPictureAt ?? undefined
  const sentence = status.state === 'live' ? undefined : liveSentence(status, lastPictureAt, now.value)
  const stale = status.state !== 'live' && shownAt !== undefined
  const toggleFill = () => {
    fill.value = !fill.value
    remember('fill', fill.value ? 'on' : 'off')
  }
  const shape = camera?.video && camera.video.height > 0 ? camera.video.width / camera.video.height : 16 / 9
  return (
    <section
      class="picture"
      data-state={status.state}
      data-error={status.error}
      data-stale={stale}
      data-fill={fill.value}
      aria-label={`Live picture: ${title}`}
      style={{ '--shape': shape }}
    >
      <video ref={live.video} playsInline autoPlay muted disablePictureInPicture />
      <div class="picture-top">
        {status.state === 'live' && (
          <span class="chip chip-live">
            <i class="dot" /> Live
          </span>
        )}
        {camera?.recording && (
          <span class="chip chip-recording">
            <i class="dot" /> Recording
          </span>
        )}
      </div>
      <div class="picture-said" role="status" aria-live="polite">
        {sentence && (
          <>
            {status.state === 'connecting' || (status.state === 'reconnecting' && status.retryAt === undefined) ? (
              <span class="spinner" aria-hidden="true" />
            ) : (
              <Icon name="offline" />
            )}
            <strong>{sentence.title}</strong>
            {sentence.detail && <span>{sentence.detail}</span>}
          </>
        )}
      </div>
      {status.retryAt !== undefined || status.state === 'failed' ? (
        <button type="button" class="quiet picture-retry" onClick={live.retry}>
          Try now
        </button>
      ) : null}
      {status.state === 'live' && (
        <div class="picture-tools">
          {live.shown.value?.hasAudio && <SoundButton live={live} />}
          <button type="button" class="round small" aria-label="Fill" aria-pressed={fill.value} onClick={toggleFill}>
            <Icon name="fill" />
          </button>
          <button type="button" class="round small" aria-label="Full screen" onClick={() => fullScreen(live)}>
            <Icon name="expand" />
          </button>
        </div>
      )}
    </section>
  )
}

function SoundButton({ live }: { live: Live }) {
  const press = () => {
    if (!live.video.current) return
    switchSound(live.video.current).catch((error: unknown) => console.warn('Sound could not be switched:', error))
  }
  const label = audible.value ? 'Sound off' : 'Sound on'
  return (
    <button type="button" class="round small" aria-label={label} aria-pressed={audible.value} onClick={press}>
      <Icon name={audible.value ? 'soundOn' : 'soundOff'} />
      {!audible.value && <span class="sound-hint">{soundBlocked.value ? 'Tap for sound' : 'Sound'}</span>}
    </button>
  )
}

/** Older iPhones give full screen to the <video> alone. */
function fullScreen(live: Live): void {
  const video = live.video.current as (HTMLVideoElement & { webkitEnterFullscreen?: () => void }) | null
  if (!video) return
  if (document.fullscreenElement) {
    document.exitFullscreen().catch((error: unknown) => console.info('Full screen did not end:', error))
    return
  }
  const frame = video.closest<HTMLElement>('.picture')
  if (!frame?.requestFullscreen) {
    video.webkitEnterFullscreen?.()
    return
  }
  frame.requestFullscreen().catch((error: unknown) => console.info('No full screen:', error))
}
