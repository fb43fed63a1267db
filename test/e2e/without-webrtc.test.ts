import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { atFileEnd } from '../support/at-file-end.ts'
import { openChromium } from '../support/chromium.ts'
import { cameraThat } from '../support/house.ts'
import { agesOf, framesAfter, hearTone, stepsOf, watchFrames } from '../support/page-probe.ts'
import { openSmallHouse, type SmallHouse } from '../support/small-house.ts'
import { openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'

/** Three seconds, and what a busy machine may hold the page up. */
const oldestMs = 5_000

const atEnd = atFileEnd()
let house: SmallHouse
let page: Page

beforeAll(async () => {
  house = await openSmallHouse(atEnd)
})
beforeAll(async () => {
  page = await openPhone(await openChromium(atEnd), house.gateway)
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
  for (const age of agesOf(frames, camera)) {
    expect(age).toBeGreaterThan(-50)
    expect(age).toBeLessThan(oldestMs)
  }
  const steps = stepsOf(frames, camera)
  expect(steps.filter((step) => step > camera.barcodes / 2)).toEqual([])
  expect(steps.filter((step) => step > 0).length).toBeGreaterThan(15)
})

test("the camera's microphone is heard", async () => {
  await hearTone(page, 440)
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
