import { beforeAll, expect, test } from 'vitest'
import { atFileEnd } from '../support/at-file-end.ts'
import { openChromium } from '../support/chromium.ts'
import { openFirefox, openFirefoxPage } from '../support/firefox.ts'
import { agesOf, framesAfter, watchFrames } from '../support/page-probe.ts'
import { openSmallHouse, type SmallHouse } from '../support/small-house.ts'
import { triedWays } from '../support/tried-ways.ts'
import { openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'

const atEnd = atFileEnd()
const canPlay = `MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L60.90"')`
let house: SmallHouse

beforeAll(async () => {
  house = await openSmallHouse(atEnd, { codec: 'h265' })
})

test('a browser that has H.265 in no way says so, after it has tried both ways', async (context) => {
  const page = await openPhone(await openChromium(atEnd), house.gateway)
  if (await page.evaluate(canPlay)) context.skip('this Chromium plays H.265')
  const tried = triedWays(page)
  await showCamera(page, house.agent.camera)
  await pictureIs(page, 'failed')
  expect(tried).toEqual(['whep 406', 'live.mp4 200'])
  expect(await page.locator('section.picture').getAttribute('data-error')).toBe('codec_unsupported')
  await page.getByText("This browser cannot play the camera's codec.").waitFor()
})

test('one that has it outside of WebRTC shows the picture the slower way, live', async (context) => {
  const page = await openFirefoxPage(await openFirefox(atEnd), house.gateway)
  if (!(await page.evaluate(canPlay))) context.skip('this Firefox finds no decoder for H.265')
  await showCamera(page, house.agent.camera)
  await watchFrames(page)
  await page.waitForSelector('section.picture[data-state="live"]')
  const ages = agesOf((await framesAfter(page, 0, 40)).slice(-20), house.camera)
  expect(Math.min(...ages)).toBeGreaterThan(-50)
  expect(Math.max(...ages)).toBeLessThan(5_000)
})
