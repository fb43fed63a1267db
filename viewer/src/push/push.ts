import { PorchlightError } from '@porchlight/proto/errors.ts'
import { signal } from '@preact/signals'
import { deletePushSubscription, getPushKey, savePushSubscription } from '../api/calls.ts'

export type PushState = 'unknown' | 'on' | 'off' | 'denied' | 'unsupported' | 'insecure'

/** Whether this phone is told when the page is closed. */
export const pushState = signal<PushState>('unknown')

/** Registers the service worker and learns whether notifications are on; shows a page when a notification was tapped. */
export async function preparePush(): Promise<void> {
  if (!isSecureContext) {
    pushState.value = 'insecure'
    return
  }
  if (!('serviceWorker' in navigator)) {
    pushState.value = 'unsupported'
    return
  }
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ type?: string; target?: string }>) => {
    if (event.data.type === 'open' && event.data.target?.startsWith('/#/')) location.hash = event.data.target.slice(1)
  })
  const registration = await navigator.serviceWorker.register('/sw.js', { type: 'module' })
  if (!('pushManager' in registration) || !('Notification' in window)) pushState.value = 'unsupported'
  else if (Notification.permission === 'denied') pushState.value = 'denied'
  else pushState.value = (await registration.pushManager.getSubscription()) ? 'on' : 'off'
}

/** Asks for permission and subscribes. Call it from a tap. @throws PorchlightError */
export async function switchPushOn(): Promise<void> {
  if (pushState.value === 'insecure') throw new PorchlightError('page_insecure')
  if (pushState.value === 'unsupported') throw new PorchlightError('notifications_unsupported')
  const permission = await Notification.requestPermission()
  if (permission !== 'granted') {
    pushState.value = permission === 'denied' ? 'denied' : 'off'
    throw new PorchlightError('notifications_denied')
  }
  const registration = await navigator.serviceWorker.ready
  const applicationServerKey = await getPushKey()
  let subscription: PushSubscription
  try {
    subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey })
  } catch (cause) {
    throw new PorchlightError('notifications_unsupported', undefined, { cause })
  }
  await savePushSubscription(subscription.toJSON())
  pushState.value = 'on'
}

/** @throws PorchlightError */
export async function switchPushOff(): Promise<void> {
  const registration = await navigator.serviceWorker.ready
  const subscription = await registration.pushManager.getSubscription()
  if (subscription) {
    await deletePushSubscription(subscription.endpoint)
    await subscription.unsubscribe()
  }
  pushState.value = 'off'
}
