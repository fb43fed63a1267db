/// <reference lib="webworker" />
import { notificationOf, targetOf } from './notification.ts'

declare const self: ServiceWorkerGlobalScope

/** The app's shell only: never an API answer, a picture or a recording. */
const shell = 'porchlight-shell-1'

self.addEventListener('install', (event) => {
  event.waitUntil(
    keepShell()
      .catch((error: unknown) => console.warn('The app will not start without a network yet:', error))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== shell).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return
  if (event.request.mode === 'navigate' && url.pathname === '/') event.respondWith(freshPage(event.request))
  else if (url.pathname.startsWith('/assets/') || url.pathname.startsWith('/icons/'))
    event.respondWith(keptAsset(event.request))
})

self.addEventListener('push', (event) => {
  const { title, options } = notificationOf(event.data?.text())
  event.waitUntil(self.registration.showNotification(title, options))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(openPage(targetOf(event.notification.data)))
})

/** Shows a page of the app in the window that is open, else in a new one. */
async function openPage(target: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const open = windows[0]
  if (!open) {
    await self.clients.openWindow(target)
    return
  }
  open.postMessage({ type: 'open', target })
  await open.focus()
}

/** Network first, so that a new version shows at once; the kept page where there is no network. */
async function freshPage(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request)
    if (answer.ok) await (await caches.open(shell)).put('/', answer.clone())
    return answer
  } catch (error) {
    const kept = await caches.match('/')
    if (kept) return kept
    throw error
  }
}

/** Assets carry a hash of their content in their name: what is kept is right for ever. */
async function keptAsset(request: Request): Promise<Response> {
  const kept = await caches.match(request)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) await (await caches.open(shell)).put(request, answer.clone())
  return answer
}

async function keepShell(): Promise<void> {
  const cache = await caches.open(shell)
  const page = await fetch('/', { cache: 'no-store' })
  const html = await page.clone().text()
  await cache.put('/', page)
  const assets = html.match(/\/assets\/[\w.-]+/g) ?? []
  await cache.addAll([...new Set(assets)])
}
