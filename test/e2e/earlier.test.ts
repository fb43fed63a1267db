import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { atFileEnd } from '../support/at-file-end.ts'
import { launchChromium } from '../support/chromium.ts'
import { decode } from '../support/decode.ts'
import { agesOf, framesAfter, seenFrames, watchFrames } from '../support/page-probe.ts'
import { openSmallHouse, type SmallHouse } from '../support/small-house.ts'
import { until } from '../support/until.ts'
import { openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'

/** A picture is shown for 100 ms, and travels a little before it is dated. */
const toleranceMs = 1_000

let house: SmallHouse
let browser: Browser
const atEnd = atFileEnd()

beforeAll(async () => {
  house = await openSmallHouse(atEnd, { gop: 25 }, { recordings: { mode: 'continuous', postroll: 1 } })
  browser = await launchChromium()
  atEnd(() => browser.close())
})

async function recordedSpan(): Promise<[number, number] | undefined> {
  const day = new Date().setHours(0, 0, 0, 0)
  const path = `/api/cameras/${house.agent.camera}/timeline?from=${day}&to=${day + 24 * 3_600_000}`
  return (await house.gateway.json<{ recorded: [number, number][] }>(path)).recorded.at(-1)
}

const recordedFor = (ms: number) =>
  until(`${ms} ms on the disk`, async () => {
    const span = await recordedSpan()
    return span && span[1] - span[0] >= ms && span
  })

const nearStrip = (page: Page) => page.getByRole('slider', { name: 'Moment' })
const momentOf = async (page: Page) => Number(await nearStrip(page).getAttribute('aria-valuenow'))
const pictureShown = (page: Page) => page.locator('section.earlier-picture[data-state="shown"]').waitFor()

/** How far the picture on screen is from the moment that the page says it is of, ms. */
async function distance(page: Page): Promise<number> {
  const moment = await momentOf(page)
  const barcode = (await seenFrames(page)).at(-1)?.barcode
  // the scene is a loop: of all the times at which its picture was sent, the one that is meant
  const sent = house.camera.frames().filter(({ index }) => index === barcode)
  return Math.min(Number.POSITIVE_INFINITY, ...sent.map(({ sentMs }) => Math.abs(sentMs - moment)))
}

/** The moment is another by now, and its picture on screen. */
const seesItsMoment = (page: Page) =>
  until('the picture of the moment', async () => (await distance(page)) <= toleranceMs)

test('from the live picture to any moment of the day with a thumb, saved, and back again', async () => {
  // The page begins half a minute before the newest picture, and is pulled back by as much again.
  await recordedFor(75_000)
  const page = await openPhone(browser, house.gateway)
  await showCamera(page, house.agent.camera)
  await page.getByRole('link', { name: 'Earlier' }).click()
  await watchFrames(page)
  await pictureShown(page)
  await seesItsMoment(page)

  // pulled to the right: twenty minutes are as wide as the screen
  const before = await momentOf(page)
  const strip = (await nearStrip(page).boundingBox())!
  const middle = { x: strip.x + strip.width / 2, y: strip.y + strip.height / 2 }
  const pulledPx = 8
  await page.mouse.move(middle.x, middle.y)
  await page.mouse.down()
  await page.mouse.move(middle.x + pulledPx, middle.y, { steps: 5 })
  await page.mouse.up()
  const pulled = await momentOf(page)
  expect(Math.abs(before - pulled - (pulledPx / strip.width) * 20 * 60_000)).toBeLessThan(2)
  await pictureShown(page)
  await seesItsMoment(page)

  // by keys, as a screen reader has it
  await nearStrip(page).press('ArrowRight')
  await expect.poll(() => momentOf(page)).toBe(pulled + 5_000)
  expect(await nearStrip(page).getAttribute('aria-valuetext')).toMatch(/, recorded$/)
  await pictureShown(page)
  await seesItsMoment(page)

  // plays on from there, and the moment goes along
  await page.getByLabel('Speed').selectOption('2')
  await page.getByRole('button', { name: 'Play' }).click()
  await expect.poll(() => momentOf(page)).toBeGreaterThan(pulled + 8_000)
  expect(await page.evaluate(`document.querySelector('video').playbackRate`)).toBe(2)
  await page.getByRole('button', { name: 'Pause' }).click()
  await seesItsMoment(page)

  // what is saved is what the gateway has of that time
  const asked = page.waitForRequest(/clip\.mp4/)
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save' }).click()
  const { pathname, search } = new URL((await asked).url())
  const path = join(house.gateway.directory, 'saved.mp4')
  await (await download).saveAs(path)
  const saved = await readFile(path)
  expect(saved.equals(Buffer.from(await (await house.gateway.fetch(pathname + search)).arrayBuffer()))).toBe(true)
  const { video, errors } = await decode(path)
  expect(errors).toEqual([])
  expect(video.length).toBeGreaterThan(100)

  await page.getByRole('link', { name: 'Live', exact: true }).click()
  await pictureIs(page, 'live')
  const frames = await framesAfter(page, Date.now(), 10)
  expect(Math.min(...agesOf(frames, house.camera))).toBeLessThan(5_000)
})
