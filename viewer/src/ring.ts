import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import { hrefOf } from './route.ts'
import { ring, ringFreshMs } from './state/ring.ts'
import { talking } from './state/talking.ts'
import { chime } from './ui/chime.ts'

let timer: ReturnType<typeof setTimeout> | undefined

/** Somebody is at the door: says so on every page and opens the picture, unless somebody is being talked to elsewhere. */
export function showRing(notice: EventNotice): void {
  ring.value = notice
  if (talking.value === undefined) location.hash = hrefOf({ page: 'camera', id: notice.camera })
  chime()
  navigator.vibrate?.([200, 100, 200])
  clearTimeout(timer)
  timer = setTimeout(dismissRing, ringFreshMs)
}

export function dismissRing(): void {
  clearTimeout(timer)
  ring.value = undefined
}
