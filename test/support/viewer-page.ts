import type { Browser, Page } from 'playwright-core'
import { phoneContext } from './chromium.ts'
import type { GatewayHouse } from './house.ts'
import { framesAfter, keepPeers, type ProbedPage, relayOf, watchFrames } from './page-probe.ts'

/** A phone of its own, signed in by a one-time link, that hears the gateway's notices. */
export async function openPhone(browser: Browser, gateway: GatewayHouse): Promise<Page> {
  const context = await phoneContext(browser)
  await keepPeers(context)
  const page = await context.newPage()
  const link = await gateway.signInLink()
  const hears = async () => (await page.waitForEvent('websocket')).waitForEvent('framereceived', isSubAck)
  await Promise.all([hears(), page.goto(link)])
  await page.getByRole('list', { name: 'Cameras' }).waitFor()
  return page
}

/** MQTT 3.1.1 §3.9: from here on notices come. */
function isSubAck({ payload }: { payload: string | Buffer }): boolean {
  return typeof payload !== 'string' && payload[0] === 0x90
}

/** The camera's page; the picture may still be on its way. */
export async function showCamera(page: ProbedPage, camera: string): Promise<void> {
  await page.evaluate(`location.hash = '#/camera/${camera}'`)
  await page.waitForSelector('video')
}

/** Waits until the page says of its picture `state`: `live`, `connecting`, `reconnecting`, `offline`, `failed`. */
export async function pictureIs(page: Page, state: string, timeout = 90_000): Promise<void> {
  await page.locator(`section.picture[data-state="${state}"]`).waitFor({ timeout })
}

/** A phone that sees moving pictures over WebRTC; gives the relay they take, and how often it asked for a session. */
export async function phoneSees(
  browser: Browser,
  gateway: GatewayHouse,
  camera: string,
): Promise<{ relay: string | undefined; posts: number }> {
  const page = await openPhone(browser, gateway)
  let posts = 0
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/whep')) posts += 1
  })
  await showCamera(page, camera)
  await watchFrames(page)
  await pictureIs(page, 'live')
  const frames = await framesAfter(page, 0, 30)
  if (new Set(frames.map(({ barcode }) => barcode)).size <= 10) throw new Error('the picture stands still')
  return { relay: await relayOf(page), posts }
}

/** Press and hold; the returned function lets go. */
export async function holdToTalk(page: Page): Promise<() => Promise<void>> {
  await page.locator('.talk-button[aria-disabled="false"]').hover()
  await page.mouse.down()
  return () => page.mouse.up()
}
