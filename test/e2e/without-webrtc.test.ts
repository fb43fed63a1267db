import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openChromium } from '../support/chromium.ts'
import { cameraThat } from '../support/house.ts'
import { framesAfter, watchFrames } from '../support/page-probe.ts'
import { openSmallHouse, type SmallHouse } from '../support/small-house.ts'
import { openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'

const cleanUps: (() => Promise<void>)[] = []
const atEnd = (cleanUp: () => Promise<void>) => cleanUps.unshift(cleanUp)
let house: SmallHouse
let page: Page

beforeAll(async () => {
  house = await openSmallHouse(atEnd)
})
beforeAll(async () => {
  page = await openPhone(await openChromium(atEnd), house.gateway)
})
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})

test("with WebRTC switched off the bar code on screen advances and is the camera's", async () => {
  const { camera, agent } = house
  await page.context().addInitScript('delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection')
  await page.reload()
  await page.getByRole('list', { name: 'Cameras' }).waitFor()
  await showCamera(page, agent.camera)
  await watchFrames(page)
  await pictureIs(page, 'live')
  const frames = (await framesAfter(page, 0, 60)).slice(-25)
  for (const { barcode, atMs } of frames) {
    const sentAt = camera.framesSentAt(barcode!)
    expect(sentAt).toBeDefined()
    expect(atMs - sentAt!).toBeGreaterThan(-50)
    expect(atMs - sentAt!).toBeLessThan(10_000)
  }
  const { barcodes } = camera
  const steps = frames.slice(1).map(({ barcode }, index) => (barcode! - frames[index]!.barcode! + barcodes) % barcodes)
  expect(steps.filter((step) => step > barcodes / 2)).toEqual([])
  expect(steps.filter((step) => step > 0).length).toBeGreaterThan(15)
})

test('the page says so, and why nobody can talk', async () => {
  await page.getByText('The picture comes a slower way').waitFor()
  await page.getByText('Talking needs WebRTC.').waitFor()
  expect(await page.locator('.talk-button').getAttribute('aria-disabled')).toBe('true')
})

test('who watches this way is counted, until they leave', async () => {
  const { gateway, agent } = house
  await cameraThat(gateway, agent.camera, ({ viewers }) => viewers === 1)
  await page.close()
  await cameraThat(gateway, agent.camera, ({ viewers }) => viewers === 0)
})
