import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import { effect } from '@preact/signals'
import { backoffMs } from '../live/backoff.ts'
import { showRing } from '../ring.ts'
import { cameraChanged, floorChanged, loadCameras } from '../state/cameras.ts'
import { contact } from '../state/contact.ts'
import { eventChanged, eventList, refreshEvents } from '../state/events.ts'
import { isNewRing } from '../state/ring.ts'
import { readSession, session } from '../state/session.ts'
import type { Notice } from './notices.ts'

let connection: { close(): void } | undefined
let retry: ReturnType<typeof setTimeout> | undefined
let failures = 0
let running = false

/** Keeps the page in contact with the gateway while somebody is signed in; comes back by itself. */
export function keepContact(): void {
  effect(() => {
    const signedIn = session.value.state === 'in'
    if (signedIn && !running) start()
    else if (!signedIn && running) stop()
  })
  addEventListener('online', tryNow)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') tryNow()
  })
}

/** Does not wait for the back-off: the network is back, or a person looks. */
export function tryNow(): void {
  if (!running || contact.value.ok || contact.value.retryAt === undefined) return
  failures = 0
  connect().catch(lost)
}

function start(): void {
  running = true
  connect().catch(lost)
}

function stop(): void {
  running = false
  clearTimeout(retry)
  connection?.close()
  connection = undefined
}

async function connect(): Promise<void> {
  clearTimeout(retry)
  if (!contact.value.ok) contact.value = { ok: false }
  // The list is there before the notices' code is: the first screen waits for neither.
  const [{ openNotices }] = await Promise.all([import('./notices.ts'), loadCameras()])
  if (!running) return
  connection?.close()
  connection = openNotices({
    open: () => {
      failures = 0
      contact.value = { ok: true }
      Promise.all([loadCameras(), refreshEvents()]).then(() => tellRing(eventList.value.events), lost)
    },
    notice: take,
    closed: () => lost(undefined),
  })
}

function take(notice: Notice): void {
  if (notice.type === 'camera') cameraChanged(notice)
  else if (notice.type === 'floor') floorChanged(notice)
  else {
    eventChanged(notice)
    tellRing([notice])
  }
}

/** Also of a ring that this page did not hear itself: it was opened, or came back, just after. */
function tellRing(events: readonly EventNotice[]): void {
  const now = Date.now()
  const rings = events.filter((event) => isNewRing(event, now))
  // Newest first.
  if (rings[0]) showRing(rings[0])
}

function lost(error: unknown): void {
  if (!running) return
  if (error !== undefined) console.info('No contact with the gateway:', error)
  connection?.close()
  connection = undefined
  const wait = backoffMs(failures, Math.random)
  failures += 1
  contact.value = { ok: false, retryAt: Date.now() + wait }
  clearTimeout(retry)
  retry = setTimeout(() => {
    // A socket does not say why it was refused: the session may have ended.
    readSessionQuietly().then(connect).catch(lost)
  }, wait)
}

/** Signs out where the gateway says so; anything else is for `connect` to find. */
async function readSessionQuietly(): Promise<void> {
  const before = session.value
  await readSession()
  if (session.value.state === 'unknown') session.value = before
}
