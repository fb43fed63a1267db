import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type CameraPage, openCameraPage } from '../e2e/mock/camera-page.ts'
import { aCamera, anEvent } from '../e2e/mock/facts.ts'
import { json, type MockGateway, openMockGateway, problem } from '../e2e/mock/mock-gateway.ts'
import { launchChromium, phoneContext } from '../support/chromium.ts'

let browser: Browser
beforeAll(async () => {
  // Two pages of this browser are each other's peers: no detour by mDNS names.
  browser = await launchChromium({ flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] })
})
afterAll(() => browser.close())

interface Scene {
  page: Page
  gateway: MockGateway
  camera: CameraPage
}

async function openScene(): Promise<Scene> {
  const gateway = await openMockGateway()
  gateway.cameras = [aCamera()]
  const camera = await openCameraPage(browser, gateway)
  const context = await phoneContext(browser)
  onTestFinished(async () => {
    await context.close()
    await camera.close()
    await gateway[Symbol.asyncDispose]()
  })
  return { page: await context.newPage(), gateway, camera }
}

const state = (page: Page, wanted: string) => page.locator(`section.picture[data-state="${wanted}"]`).waitFor()

async function openLive({ page, gateway }: Scene): Promise<void> {
  await page.goto(`${gateway.url}/#/camera/home.door`)
  await state(page, 'live')
}

test('one POST a session leads to a moving picture; the sound comes with a tap and is remembered', async () => {
  const scene = await openScene()
  const { page, gateway, camera } = scene
  await openLive(scene)
  // One POST a session and nothing besides; a busy machine may have needed a second session.
  const signaling = gateway.requests.filter((line) => line.includes('/whep') && !line.startsWith('DELETE'))
  expect(new Set(signaling)).toEqual(new Set(['POST /api/cameras/home.door/whep']))
  expect(signaling).toHaveLength(camera.sessions.length)
  await page.getByRole('button', { name: 'Sound on' }).click()
  await page.getByRole('button', { name: 'Sound off' }).waitFor()
  expect(await page.locator('video').evaluate((video: unknown) => (video as { muted: boolean }).muted)).toBe(false)
  expect(await page.evaluate('localStorage.getItem("porchlight.sound")')).toBe('on')
})

test('holding the button talks by the line made at the start; letting go gives the floor back', async () => {
  const scene = await openScene()
  const { page, gateway, camera } = scene
  gateway.routes.push((method, path) => {
    if (!path.endsWith('/talk')) return undefined
    return method === 'POST' ? json({ until: Date.now() + 10_000, leaseMs: 10_000 }) : { status: 204 }
  })
  await openLive(scene)
  await page.locator('.talk-button[aria-disabled="false"]').hover()
  await page.mouse.down()
  await page.getByText('Talking', { exact: true }).waitFor()
  await expect.poll(() => camera.talkBytes(camera.sessions[0]!), { timeout: 20_000 }).toBeGreaterThan(1_000)
  const taken = () => gateway.requests.filter((line) => line === 'POST /api/cameras/home.door/talk').length
  await expect.poll(taken, { timeout: 20_000 }).toBeGreaterThan(1)
  await page.mouse.up()
  await page.getByText('Hold to talk').waitFor()
  await expect.poll(() => gateway.requests).toContain('DELETE /api/cameras/home.door/talk')
  expect(camera.sessions).toHaveLength(1)
})

test('a floor that is taken says by whom, before the press and after it', async () => {
  const scene = await openScene()
  const { page, gateway } = scene
  gateway.routes.push((_method, path) =>
    path.endsWith('/talk') ? problem('floor_taken', { holder: { session: 'x', name: 'Bob' } }) : undefined,
  )
  await openLive(scene)
  await page.locator('.talk-button[aria-disabled="false"]').hover()
  await page.mouse.down()
  await page.getByText('Bob is talking.').waitFor()
  await page.mouse.up()
  const until = Date.now() + 60_000
  await gateway.floor({ type: 'floor', camera: 'home.door', holder: { session: 'x', name: 'Ada' }, until })
  await page.getByRole('button', { name: 'Ada is talking' }).waitFor()
  await gateway.floor({ type: 'floor', camera: 'home.door', holder: null, until: null })
  await page.getByRole('button', { name: 'Hold to talk' }).waitFor()
})

test('a picture that stands still is not shown as live, and comes back by itself', async () => {
  const scene = await openScene()
  await openLive(scene)
  await scene.camera.freeze()
  await scene.page.locator('section.picture[data-state="reconnecting"][data-stale="true"]').waitFor()
  await state(scene.page, 'live')
  expect(scene.camera.sessions.length).toBeGreaterThan(1)
})

test('a connection that ends is made again; an offline camera is waited for', async () => {
  const scene = await openScene()
  const { page, gateway, camera } = scene
  await openLive(scene)
  let offline = true
  gateway.routes.unshift((_method, path) => (offline && path.endsWith('/whep') ? problem('camera_offline') : undefined))
  await camera.hangUp()
  await state(page, 'offline')
  await page.getByText(/Last picture/).waitFor()
  await gateway.camera(aCamera({ online: false }))
  offline = false
  await gateway.camera(aCamera())
  await state(page, 'live')
})

test('a codec that the browser cannot play is said, and not tried again', async () => {
  const scene = await openScene()
  scene.gateway.routes.unshift((_method, path) =>
    /\/(whep|live\.mp4)(\?|$)/.test(path) ? problem('codec_unsupported') : undefined,
  )
  await scene.page.goto(`${scene.gateway.url}/#/camera/home.door`)
  await state(scene.page, 'failed')
  await scene.page.getByText("This browser cannot play the camera's codec.").waitFor()
})

test('a ring opens the live picture at once, wherever one is', async () => {
  const scene = await openScene()
  const { page, gateway } = scene
  await page.goto(`${gateway.url}/#/settings`)
  await expect
    .poll(() => gateway.requests.filter((line) => line === 'GET /api/cameras').length, { timeout: 20_000 })
    .toBeGreaterThan(1)
  await gateway.event(anEvent({ eventId: 'ring-1', kind: 'ring', begin: Date.now(), end: null }))
  await page.getByRole('alert', { name: 'Somebody rings' }).waitFor()
  await state(page, 'live')
  await page.getByRole('button', { name: 'Dismiss' }).click()
  await page.getByRole('alert', { name: 'Somebody rings' }).waitFor({ state: 'detached' })
})
