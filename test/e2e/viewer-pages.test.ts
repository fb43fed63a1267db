import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { launchChromium, phoneContext } from '../support/chromium.ts'
import { aCamera, anEvent } from './mock/facts.ts'
import { json, type MockGateway, openMockGateway, problem, signInToken } from './mock/mock-gateway.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

/** A phone on a gateway of the test's own. What the page's policy refuses, or throws, fails the test. */
async function openPage(
  prepare: (gateway: MockGateway) => void = () => {},
): Promise<{ page: Page; gateway: MockGateway }> {
  const gateway = await openMockGateway()
  prepare(gateway)
  const context = await phoneContext(browser)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text())
  })
  onTestFinished(async () => {
    await context.close()
    await gateway[Symbol.asyncDispose]()
    expect(complaints).toEqual([])
  })
  await page.goto(gateway.url)
  return { page, gateway }
}

const heard = (gateway: MockGateway) =>
  expect.poll(() => gateway.requests.filter((line) => line === 'GET /api/cameras').length, { timeout: 20_000 })

test('the one-time link signs in, leaves no token in the address, and signing out ends it', async () => {
  const { page, gateway } = await openPage((gateway) => {
    gateway.signedIn = false
    gateway.cameras = [aCamera()]
  })
  await page.getByLabel('Sign-in link').fill(`${gateway.url}/#/sign-in?token=used-up-token`)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('This sign-in link is used up or too old.').waitFor()

  await page.goto(`${gateway.url}/#/sign-in?token=${signInToken}`)
  await page.getByRole('list', { name: 'Cameras' }).getByText('Front door').waitFor()
  expect(page.url()).not.toContain('token')

  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Sign-in link').waitFor()
  expect(gateway.requests).toContain('DELETE /api/session')
})

test('the list follows the notices: live, connecting, failed with its sentence, offline with the age of the picture', async () => {
  const { page, gateway } = await openPage((gateway) => {
    gateway.cameras = [aCamera()]
  })
  const card = page.locator('[data-camera="home.door"]')
  await card.getByText('Live', { exact: true }).waitFor()
  // The second reading of the list comes with the notices' connection.
  await heard(gateway).toBeGreaterThan(1)
  await gateway.camera(aCamera({ state: 'connecting' }))
  await card.getByText('Connecting').waitFor()
  await gateway.camera(aCamera({ state: 'failed', error: 'camera_auth' }))
  await card.getByText('The camera refuses the user name or the password.').waitFor()
  await gateway.camera(aCamera({ online: false, lastPictureAt: Date.now() - 181_000 }))
  await card.getByText('Last picture 3 min ago').waitFor()
  expect(await card.getAttribute('data-state')).toBe('offline')
})

test('a list that was slow does not undo what a notice has told meanwhile', async () => {
  const answers = Promise.withResolvers<void>()
  const { page, gateway } = await openPage((gateway) => {
    gateway.cameras = [aCamera()]
    let asked = 0
    gateway.routes.push(async (_method, path) => {
      // The second reading of the list comes with the notices' connection.
      if (path !== '/api/cameras' || ++asked === 1) return undefined
      await answers.promise
      return json({ cameras: [aCamera(), aCamera({ id: 'home.garden', title: 'Garden' })] })
    })
  })
  await heard(gateway).toBeGreaterThan(1)
  await gateway.camera(aCamera({ state: 'connecting' }))
  const card = page.locator('[data-camera="home.door"]')
  await card.getByText('Connecting').waitFor()
  answers.resolve()
  await page.locator('[data-camera="home.garden"]').getByText('Live').waitFor()
  expect(await card.getAttribute('data-state')).toBe('connecting')
})

test('a page that is opened just after a ring says who is at the door, and shows the picture', async () => {
  const { page } = await openPage((gateway) => {
    gateway.cameras = [aCamera()]
    // However long the page takes to open: the ring was just before it asks.
    gateway.routes.push((_method, path) =>
      path.startsWith('/api/events')
        ? json({ events: [anEvent({ kind: 'ring', begin: Date.now() - 5_000, end: null })], next: null })
        : undefined,
    )
  })
  await page.getByRole('alert').getByText('Front door').waitFor()
  await page.waitForURL(/#\/camera\/home\.door$/)
})

test('a gateway that goes away is said, and found again by itself', async () => {
  const { page, gateway } = await openPage((gateway) => {
    gateway.cameras = [aCamera()]
  })
  await page.getByText('Live', { exact: true }).waitFor()
  await heard(gateway).toBeGreaterThan(1)
  await gateway.stop()
  await page.getByText('No contact with the gateway.').waitFor()
  expect(await page.locator('[data-camera="home.door"]').getAttribute('data-state')).toBe('unknown')
  gateway.cameras = [aCamera({ title: 'Back door' })]
  await gateway.start()
  await page.getByText('Back door').waitFor()
  await page.getByText('No contact with the gateway.').waitFor({ state: 'detached' })
})

test('events come in pages while one scrolls, with kinds and times, and new ones at the top', async () => {
  const { page, gateway } = await openPage((gateway) => {
    gateway.cameras = [aCamera()]
    gateway.events = Array.from({ length: 45 }, (_, i) =>
      anEvent({
        eventId: `event-${i}`,
        kind: i === 1 ? 'ring' : 'motion',
        begin: Date.now() - (i + 1) * 60_000,
        end: Date.now() - (i + 1) * 60_000 + 23_000,
      }),
    )
  })
  await page.getByRole('link', { name: 'Events' }).click()
  await page.locator('[data-event="event-1"][data-kind="ring"]').getByText('23 s').waitFor()
  const last = page.locator('[data-event="event-44"]')
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, 2_000)
      return last.count()
    })
    .toBe(1)
  // The first page may be read again when the notices arrive; each further page is read once.
  const further = gateway.requests.filter((line) => line.startsWith('GET /api/events?') && line.includes('before='))
  expect(further.length).toBe(2)
  await heard(gateway).toBeGreaterThan(1)
  await gateway.event(anEvent({ eventId: 'event-new', begin: Date.now(), end: null }))
  await page.locator('[data-event="event-new"]').getByText('going on').waitFor()
})

test('an event without a recording, and one whose recording cannot be read, say so', async () => {
  const { page, gateway } = await openPage((gateway) => {
    gateway.events = [anEvent()]
    const recording = { state: 'none', fromMs: 0, toMs: 0, bytes: 0, gaps: [] }
    gateway.routes.push((_method, path) =>
      path === '/api/events/event-0001' ? json({ ...anEvent(), recording }) : undefined,
    )
  })
  await page.goto(`${gateway.url}/#/event/event-0001`)
  await page.getByText('Nothing was recorded for this event.').waitFor()
  gateway.routes.unshift((_method, path) =>
    path === '/api/events/event-0002' ? problem('event_not_found') : undefined,
  )
  await page.goto(`${gateway.url}/#/event/event-0002`)
  await page.getByText('There is no such event.').waitFor()
})

/** What a label around it, or its own text, calls a control. Runs in the page. */
function nameOf(control: unknown): string {
  const element = control as { closest(selector: string): { textContent: string } | null; textContent: string }
  return element.closest('label')?.textContent ?? element.textContent
}

test('every control has a name, and is large enough for a thumb', async () => {
  const { page } = await openPage((gateway) => {
    gateway.cameras = [aCamera()]
    gateway.events = [anEvent()]
  })
  for (const tab of ['Cameras', 'Events', 'Settings']) {
    await page.getByRole('link', { name: tab }).click()
    await page.getByRole('heading', { name: tab, level: 1 }).waitFor()
    for (const control of await page.locator('a, button, select').all()) {
      const label = await control.getAttribute('aria-label')
      const name = label ?? (await control.evaluate(nameOf))
      expect(name.trim()).not.toBe('')
      const box = await control.boundingBox()
      expect(box?.height).toBeGreaterThanOrEqual((await control.getAttribute('role')) === 'switch' ? 36 : 44)
    }
  }
})

test('a camera is switched off and on again on its page, which says so and asks for no picture meanwhile', async () => {
  const { page, gateway } = await openPage((gateway) => {
    gateway.cameras = [aCamera({ recordingMode: 'events' })]
    gateway.routes.push(async (method, path) => {
      if (path !== '/api/cameras/home.door/recording') return undefined
      const mode = method === 'PUT' ? 'off' : 'events'
      await gateway.camera(aCamera({ recordingMode: mode }))
      return json({ mode, chosen: method === 'PUT' })
    })
  })
  const asked = () => gateway.requests.filter((line) => line.endsWith('/whep')).length
  await heard(gateway).toBeGreaterThan(1)
  await page.locator('[data-camera="home.door"]').click()
  const camera = page.getByRole('switch', { name: 'Camera on' })
  await camera.click()
  await page.getByText('Camera is off').waitFor()
  expect(await page.locator('.picture').getAttribute('data-state')).toBe('off')
  const before = asked()
  await page.getByRole('link', { name: 'Back to all cameras' }).click()
  await page.locator('[data-camera="home.door"]').getByText('Off', { exact: true }).waitFor()
  await page.locator('[data-camera="home.door"]').click()
  await page.getByText('Camera is off').waitFor()
  expect(asked()).toBe(before)
  await page.getByRole('switch', { name: 'Camera off' }).click()
  await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(before)
})
