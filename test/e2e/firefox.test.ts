import type { Page } from 'puppeteer-core'
import { beforeAll, expect, test } from 'vitest'
import { atFileEnd } from '../support/at-file-end.ts'
import { openFirefox, openFirefoxPage } from '../support/firefox.ts'
import { agesOf, framesAfter, seenFrames, stepsOf, watchFrames } from '../support/page-probe.ts'
import { openSmallHouse, type SmallHouse } from '../support/small-house.ts'
import { triedWays } from '../support/tried-ways.ts'
import { showCamera } from '../support/viewer-page.ts'

/** Three seconds, and what a busy machine may hold the page up. */
const oldestMs = 5_000

const atEnd = atFileEnd()
let house: SmallHouse
let page: Page
let asked: readonly string[]

beforeAll(async () => {
  house = await openSmallHouse(atEnd)
  page = await openFirefoxPage(await openFirefox(atEnd), house.gateway)
  asked = triedWays(page)
})

test('Firefox has WebRTC without H.264, and H.264 without WebRTC', async () => {
  const codecs = (await page.evaluate(
    `RTCRtpReceiver.getCapabilities('video').codecs.map(({ mimeType }) => mimeType.toLowerCase())`,
  )) as string[]
  expect(codecs).toContain('video/vp8')
  expect(codecs).not.toContain('video/h264')
  expect(await page.evaluate(`MediaSource.isTypeSupported('video/mp4; codecs="avc1.42e01f"')`)).toBe(true)
})

test('it shows a moving picture the slower way without being asked, and live', async () => {
  const { camera, agent } = house
  await showCamera(page, agent.camera)
  await watchFrames(page)
  await page.waitForSelector('section.picture[data-state="live"]')
  const frames = (await framesAfter(page, 0, 60)).slice(-25)
  expect(asked).toEqual(['whep 406', 'live.mp4 200'])
  const steps = stepsOf(frames, camera)
  expect(steps.filter((step) => step > camera.barcodes / 2)).toEqual([])
  expect(steps.filter((step) => step > 0).length).toBeGreaterThan(8)
  for (const age of agesOf(frames, camera)) {
    expect(age).toBeGreaterThan(-50)
    expect(age).toBeLessThan(oldestMs)
  }
  await page.waitForSelector('::-p-text(The picture comes a slower way)')
})

// A Firefox without a loudspeaker gives Web Audio no time, so that nobody can listen in.
test('with the sound on it goes on', async () => {
  expect(await page.evaluate('document.querySelector("video").mozHasAudio')).toBe(true)
  await page.click('::-p-aria([name="Sound on"][role="button"])')
  await page.waitForSelector('::-p-aria([name="Sound off"][role="button"])')
  expect(await page.evaluate('document.querySelector("video").muted')).toBe(false)
  const since = (await seenFrames(page)).at(-1)!.atMs
  const ages = agesOf(await framesAfter(page, since, 30), house.camera)
  expect(Math.max(...ages)).toBeLessThan(oldestMs)
})
