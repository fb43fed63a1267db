import { dismissRing } from '../ring.ts'
import { hrefOf } from '../route.ts'
import { ring } from '../state/ring.ts'
import { ago, now } from '../state/time.ts'
import { Icon } from './icons.tsx'

/** Somebody is at the door. Stands over every page; the picture is already opening below. */
export function RingBanner() {
  const shown = ring.value
  if (!shown) return null
  return (
    <div class="ring" role="alert" aria-label="Somebody rings">
      <span class="ring-bell">
        <Icon name="bell" />
      </span>
      <a class="ring-text" href={hrefOf({ page: 'camera', id: shown.camera })}>
        <strong>Somebody rings</strong>
        <span>
          {shown.cameraTitle}, {ago(now.value - shown.begin)}
        </span>
      </a>
      <button type="button" class="round" aria-label="Dismiss" onClick={dismissRing}>
        <Icon name="close" />
      </button>
    </div>
  )
}
