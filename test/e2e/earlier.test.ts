import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import type { Browser, Page } from 'playwright-core'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { dayOfMoment } from '../../viewer/src/earlier/day-facts.ts'
import { atFileEnd } from '../support/at-file-end.ts'
import { launchChromium, phoneContext } from '../support/chromium.ts'
import { startCuttingRelay } from '../support/cutting-relay.ts'
import { decode } from '../support/decode.ts'
import { agesOf, framesAfter, standingBarcode, watchFrames } from '../support/page-probe.ts'
import { type RecordedDay, recordDay } from '../support/recorded-day.ts'
import { openSmallHouse, type SmallHouse } from '../support/small-house.ts'
import { until } from '../support/until.ts'
import { openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'

const camera = 'porch.door'
const minute = 60_000
const yesterday = dayOfMoment(Date.now(), -1)
/** Recorded are twenty minutes, and after a pause of ten one more. */
const begin = yesterday.fromMs + 10 * 60 * minute
const at = (minutes: number) => begin + minutes * minute
const ring = { id: 'event-ring-0001', camera, kind: 'ring' as const, beginAt: at(5), endAt: at(5) + 20_000 }

let house: SmallHouse
let day: RecordedDay
let browser: Browser
const atEnd = atFileEnd()

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'porchlight-earlier-'))
  atEnd(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const spans: [number, number][] = [
    [begin, at(20)],
    [at(30), at(31)],
  ]
  day = await recordDay({ dataDir, cameras: [camera], spans, events: [ring] })
  house = await openSmallHouse(atEnd, { gop: 25 }, { dataDir, recordings: { mode: 'continuous', postroll: 1 } })
  browser = await launchChromium()
  atEnd(() => browser.close())
})

const nearStrip = (page: Page) => page.getByRole('slider', { name: 'Moment' })
const momentOf = async (page: Page) => Number(await nearStrip(page).getAttribute('aria-valuenow'))
const pictureShown = (page: Page) => page.locator('section.earlier-picture[data-state="shown"]').waitFor()

async function goTo(page: Page, ms: number): Promise<void> {
  await page.evaluate(`location.hash = '#/'`)
  await page.getByRole('list', { name: 'Cameras' }).waitFor()
  await page.evaluate(`location.hash = '#/earlier/${camera}?at=${ms}'`)
  await page.locator('section.earlier-picture').waitFor()
}

/** The picture on screen is of the moment that the page says it is of. */
const seesItsMoment = (page: Page) =>
  until('the picture of the moment', async () => {
    const barcode = await standingBarcode(page)
    return barcode !== undefined && day.barcodesAt(await momentOf(page)).includes(barcode)
  })

/** Pulls the strip around the moment, and looks at what stands above the finger before it lets go. */
async function pull(page: Page, pixels: number): Promise<number> {
  const before = await momentOf(page)
  const strip = (await nearStrip(page).boundingBox())!
  const middle = { x: strip.x + strip.width / 2, y: strip.y + strip.height / 2 }
  await page.mouse.move(middle.x, middle.y)
  await page.mouse.down()
  await page.mouse.move(middle.x + pixels, middle.y, { steps: 5 })
  const small = page.locator('.finger-picture[data-waiting="false"] canvas')
  await small.waitFor()
  const brightness = await small.evaluate((canvas: { getContext(kind: '2d'): CanvasContext }) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, 160, 90)
    return data.reduce((sum, value) => sum + value, 0) / data.length
  })
  expect(brightness).toBeGreaterThan(80) // a quarter of it is opacity
  await page.mouse.up()
  await small.waitFor({ state: 'detached' })
  // twenty minutes are as wide as the screen
  const pulled = await momentOf(page)
  expect(Math.abs(before - pulled - (pixels / strip.width) * 20 * minute)).toBeLessThan(2)
  return pulled
}

interface CanvasContext {
  getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray }
}

test('with a thumb to any moment, which is seen and saved; the download is cut in the middle, and nothing is missing', async () => {
  const relay = await startCuttingRelay(Number(new URL(house.gateway.url).port))
  onTestFinished(() => relay[Symbol.asyncDispose]())
  const context = await phoneContext(browser)
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const link = new URL(await house.gateway.signInLink())
  link.port = String(relay.port)
  await page.goto(link.href)
  await page.getByRole('list', { name: 'Cameras' }).waitFor()
  await goTo(page, at(10))
  await pictureShown(page)
  await seesItsMoment(page)
  await pull(page, 40)
  await pictureShown(page)
  await seesItsMoment(page)

  await page.getByLabel('What to keep').selectOption('5')
  relay.cutNext(`/api/cameras/${camera}/clip.mp4`, 200_000)
  const asked: (string | undefined)[] = []
  let path = ''
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url())
    if (!pathname.endsWith('/clip.mp4')) return
    path = pathname + search
    asked.push(request.headers().range)
  })
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save' }).click()
  const file = join(house.gateway.directory, 'saved.mp4')
  const saving = await download
  await saving.saveAs(file)
  expect(saving.suggestedFilename()).toMatch(/^Front door \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.mp4$/)
  expect(relay.cuts).toBe(1)
  expect(asked[0]).toBeUndefined()
  expect(asked.at(-1)).toMatch(/^bytes=[1-9]\d+-$/)
  const whole = Buffer.from(await (await house.gateway.fetch(path)).arrayBuffer())
  expect(whole.length).toBeGreaterThan(400_000)
  expect((await readFile(file)).equals(whole)).toBe(true)
  const { video, errors } = await decode(file)
  expect(errors).toEqual([])
  expect(video.length).toBeGreaterThan(5 * 60 * 10 - 1)
})

test('it plays on from a moment, at other speeds too, and over a pause to what was recorded next', async () => {
  const page = await openPhone(browser, house.gateway)
  onTestFinished(() => page.context().close())
  await goTo(page, at(12))
  await pictureShown(page)
  // by keys, as a screen reader has it
  await nearStrip(page).press('ArrowRight')
  await expect.poll(() => momentOf(page)).toBe(at(12) + 5_000)
  expect(await nearStrip(page).getAttribute('aria-valuetext')).toMatch(/, recorded$/)
  await pictureShown(page)
  await seesItsMoment(page)
  await page.getByLabel('Speed').selectOption('8')
  await page.getByRole('button', { name: 'Play' }).click()
  // further than what a jump loads
  await expect.poll(() => momentOf(page)).toBeGreaterThan(at(12) + 45_000)
  expect(await page.evaluate(`document.querySelector('video').playbackRate`)).toBe(8)
  await page.getByRole('button', { name: 'Pause' }).click()
  await nearStrip(page).press('ArrowLeft')
  await seesItsMoment(page)

  await goTo(page, at(20) - 4_000)
  await pictureShown(page)
  await page.getByRole('button', { name: 'Play' }).click()
  await expect.poll(() => momentOf(page)).toBeGreaterThan(at(30))
  await page.getByRole('button', { name: 'Pause' }).click()
  await pictureShown(page)
  await seesItsMoment(page)
  // nothing is recorded in the pause
  await goTo(page, at(25))
  await page.getByText('Missing: the device started anew.').waitFor()
})

test('a browser without media source extensions shows a moment, too', async () => {
  const context = await phoneContext(browser)
  onTestFinished(() => context.close())
  await context.addInitScript('delete window.MediaSource; delete window.ManagedMediaSource')
  const page = await context.newPage()
  await page.goto(await house.gateway.signInLink())
  await page.getByRole('list', { name: 'Cameras' }).waitFor()
  await goTo(page, at(12))
  await pictureShown(page)
  await nearStrip(page).press('ArrowRight')
  await seesItsMoment(page)
})

test('an event is kept and released where it is seen, and everybody is told', async () => {
  const page = await openPhone(browser, house.gateway)
  onTestFinished(() => page.context().close())
  const isKept = async () => (await house.gateway.json<EventNotice>(`/api/events/${ring.id}`)).protected
  await goTo(page, at(2))
  await pictureShown(page)
  await page.getByRole('button', { name: 'Next event' }).click()
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByRole('button', { name: 'Kept', pressed: true }).waitFor()
  expect(await isKept()).toBe(true)
  await page.evaluate(`location.hash = '#/event/${ring.id}'`)
  await page.getByRole('button', { name: 'Kept', pressed: true }).click()
  await page.getByRole('button', { name: 'Keep', pressed: false }).waitFor()
  expect(await isKept()).toBe(false)
})

test('from the live picture to what was just recorded, and back again', async () => {
  const midnight = new Date().setHours(0, 0, 0, 0)
  const path = `/api/cameras/${house.agent.camera}/timeline?from=${midnight}&to=${midnight + 24 * 60 * minute}`
  await until('some seconds on the disk', async () => {
    const span = (await house.gateway.json<{ recorded: [number, number][] }>(path)).recorded.at(-1)
    return span && span[1] - span[0] >= 5_000
  })
  const page = await openPhone(browser, house.gateway)
  await showCamera(page, house.agent.camera)
  await page.getByRole('link', { name: 'Earlier' }).click()
  await pictureShown(page)
  await until('the picture of the moment', async () => {
    const moment = await momentOf(page)
    const barcode = await standingBarcode(page)
    // the scene is a loop; a picture is shown for 100 ms, and travels a little before it is dated
    const sent = house.camera.frames().filter(({ index }) => index === barcode)
    return sent.some(({ sentMs }) => Math.abs(sentMs - moment) <= 1_000)
  })
  await watchFrames(page)
  await page.getByRole('link', { name: 'Live', exact: true }).click()
  await pictureIs(page, 'live')
  const frames = await framesAfter(page, Date.now(), 10)
  expect(Math.min(...agesOf(frames, house.camera))).toBeLessThan(5_000)
})
