import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Timeline } from '../../viewer/src/api/calls.ts'
import { dayOfMoment } from '../../viewer/src/earlier/day-facts.ts'
import { launchChromium, phoneContext } from '../support/chromium.ts'
import { aCamera, anEvent } from './mock/facts.ts'
import { type Answer, json, openMockGateway, problem } from './mock/mock-gateway.ts'

const hour = 3_600_000
const yesterday = dayOfMoment(Date.now(), -1)
const at = (hours: number) => yesterday.fromMs + hours * hour

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

/** A day of a camera at a gateway that has this of yesterday, and nothing of any other day. */
async function openDay(
  of: Partial<Timeline>,
  moment: number,
  clip: (path: string) => Answer,
  script = '',
): Promise<Page> {
  const gateway = await openMockGateway()
  gateway.cameras = [aCamera()]
  gateway.routes.push((_method, path) => {
    if (path.includes('/clip')) return clip(path)
    if (!path.includes('/timeline?')) return undefined
    const from = Number(new URLSearchParams(path.split('?')[1]).get('from'))
    const has = from === yesterday.fromMs ? of : {}
    const events = has.events?.map(({ id, kind, beginAt, endAt }) => [id, kind, beginAt, endAt]) ?? []
    return json({
      ...{ from, to: from, resolutionMs: 1_000, recorded: [], gaps: [], eventsLeftOut: 0 },
      ...has,
      events,
    })
  })
  const context = await phoneContext(browser)
  onTestFinished(async () => {
    await context.close()
    await gateway[Symbol.asyncDispose]()
  })
  if (script) await context.addInitScript(script)
  const page = await context.newPage()
  await page.goto(`${gateway.url}/#/earlier/home.door?at=${Math.round(moment)}`)
  return page
}

const nothing = () => problem('range_empty')
const picture = (page: Page) => page.getByRole('region', { name: 'Recording: Front door' })
const spoken = (page: Page) => page.getByRole('slider', { name: 'Moment' }).getAttribute('aria-valuetext')

test('a gap says its reason, a pause says that nothing was recorded, and so does an empty day', async () => {
  const page = await openDay(
    { recorded: [[at(1), at(9)]], gaps: [[at(9), at(10), 'restart']], events: [] },
    at(9.5),
    nothing,
  )
  await picture(page).getByText('Missing: the device started anew.').waitFor()
  expect(await spoken(page)).toContain('the device started anew')
  // the day's strip is pointed at: 15:00 is none of what is recorded
  const day = (await page.getByRole('slider', { name: 'Time of day' }).boundingBox())!
  await page.touchscreen.tap(day.x + (day.width * 15) / 24, day.y + 20)
  await picture(page).getByText('Nothing was recorded at this time.').waitFor()
  expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Previous day' }).click()
  await picture(page).getByText('Nothing was recorded on this day.').waitFor()
  await page.getByRole('button', { name: 'Next day' }).click()
  await page.getByText('Yesterday').waitFor()
  expect(await page.getByRole('button', { name: 'Next day' }).isDisabled()).toBe(false)
})

test('one goes from event to event, and rings are told apart from motion', async () => {
  const events: Timeline['events'] = [
    { id: 'a', kind: 'motion', beginAt: at(4), endAt: at(4) + 9_000 },
    { id: 'b', kind: 'ring', beginAt: at(8), endAt: at(8) + 9_000 },
  ]
  const page = await openDay({ recorded: [[at(1), at(9)]], events }, at(6), nothing)
  await page.getByRole('button', { name: 'Next event' }).click()
  await expect.poll(() => spoken(page)).toContain('ring at')
  expect(await page.getByLabel('What to keep').inputValue()).toBe('event')
  await page.getByRole('button', { name: 'Previous event' }).click()
  await expect.poll(() => spoken(page)).toContain('motion at')
  expect(await page.getByRole('button', { name: 'Previous event' }).isDisabled()).toBe(true)
})

test('what the gateway cannot do is said, and tried again', async () => {
  let works = false
  const page = await openDay({ recorded: [[at(1), at(9)]] }, at(6), () => (works ? nothing() : problem('index_failed')))
  await picture(page).getByRole('button', { name: 'Try again' }).waitFor()
  works = true
  await picture(page).getByRole('button', { name: 'Try again' }).click()
  await picture(page).getByText('Nothing was recorded at this time.').waitFor()
})

test('a clip is shared as a file; where the browser wants another tap, it is asked for', async () => {
  const shares = `
    window.shared = []
    navigator.canShare = () => true
    navigator.share = async ({ files }) => {
      shared.push({ name: files[0].name, bytes: files[0].size })
      if (shared.length === 1) throw new DOMException('no activation', 'NotAllowedError')
    }`
  const body = Buffer.alloc(5_000, 1)
  const answer = { status: 200, headers: { 'content-type': 'video/mp4' }, body }
  let asked = 0
  const clip = (path: string) => {
    if (!path.includes('/clip.mp4')) return nothing()
    asked += 1
    return answer
  }
  const page = await openDay({ recorded: [[at(1), at(9)]] }, at(6), clip, shares)
  await picture(page).getByText('Nothing was recorded at this time.').waitFor()
  await page.getByRole('button', { name: 'Share', exact: true }).click()
  await page.getByRole('button', { name: 'Share now' }).click()
  await expect.poll(() => page.evaluate('shared')).toHaveLength(2)
  expect(await page.evaluate('shared.map(({ bytes }) => bytes)')).toEqual([5_000, 5_000])
  // it was fetched once
  expect(asked).toBe(1)
})

test('where an event cannot be kept, its sentence is said, and the button says what holds', async () => {
  const events: Timeline['events'] = [{ id: 'event-0001', kind: 'ring', beginAt: at(6), endAt: at(6) + 9_000 }]
  const page = await openDay({ recorded: [[at(1), at(9)]], events }, at(6), nothing)
  await page.route('**/api/events/event-0001', (route) => route.fulfill({ json: anEvent({ protected: false }) }))
  await page.route('**/api/events/event-0001/protection', (route) => {
    const { status, headers, body } = problem('forbidden')!
    return route.fulfill({ status, headers: { ...headers }, body: String(body) })
  })
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByText('You may not do that.').waitFor()
  expect(await page.getByRole('button', { name: 'Keep', exact: true }).getAttribute('aria-pressed')).toBe('false')
})
