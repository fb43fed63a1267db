/**
 * From the press of the button to the phone: ring at the device → notice in an open page, and → a picture there that was
 * captured after the press, each time with no session alive between device and gateway. Runs simulated camera (4 s groups),
 * agent, gateway and the viewer's page as they are. `--presses N` (10), `--verbose`.
 */
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { type SimulatedCamera, startCamera } from '../sim/start-camera.ts'
import type { AtEnd } from '../support/child.ts'
import { launchChromium } from '../support/chromium.ts'
import { AgentHouse, cameraThat, GatewayHouse } from '../support/house.ts'
import { seenFrames, watchFrames } from '../support/page-probe.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/until.ts'
import { openPhone } from '../support/viewer-page.ts'
import { printSummaries, type Summary, summary } from './summary.ts'

export interface Result {
  press_to_notice_ms: Summary
  press_to_picture_ms: Summary
}

interface Pressed {
  notice: number
  picture: number
}

const groupMs = 4_000

export async function run(args: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...args],
    options: { presses: { type: 'string', default: '10' }, verbose: { type: 'boolean', default: false } },
  })
  await using stack = new AsyncDisposableStack()
  const atEnd: AtEnd = (cleanUp) => stack.defer(cleanUp)
  const camera = stack.use(await startCamera({ gop: (groupMs / 1000) * 25 }))
  const gateway = await GatewayHouse.open(atEnd, {
    media: { lingerSeconds: 0 },
    events: { ringSeconds: 1 },
    recordings: { postroll: 1 },
  })
  const settings = { ring: { holdSeconds: 1 } }
  // Motion would keep a session alive between the presses.
  const only = { source: { url: camera.url }, motion: { enabled: false } }
  const agent = await AgentHouse.open(gateway, only, atEnd, { settings })
  await cameraThat(gateway, agent.camera, ({ state, online }) => online && state === 'live')
  const browser = await launchChromium()
  stack.defer(() => browser.close())
  const page = await openPhone(browser, gateway)
  await noteRings(page)
  await agent.ring() // the first is for warming up
  await watchFrames(page)
  await leave(page)

  const random = seeded(21)
  const presses: Pressed[] = []
  for (let index = 0; index < Number(values.presses); index++) {
    await isCold(gateway, agent.camera)
    await page.waitForTimeout(random() * groupMs)
    const pressed = await press(page, agent, camera)
    presses.push(pressed)
    if (values.verbose)
      process.stderr.write(`notice ${pressed.notice.toFixed()} picture ${pressed.picture.toFixed()}\n`)
    await leave(page)
  }
  const result = {
    press_to_notice_ms: summary(presses.map(({ notice }) => notice)),
    press_to_picture_ms: summary(presses.map(({ picture }) => picture)),
  }
  printSummaries({ ...result })
  return result
}

async function press(page: Page, agent: AgentHouse, camera: SimulatedCamera): Promise<Pressed> {
  const before = ((await page.evaluate('window.rings')) as number[]).length
  const at = await agent.ring()
  const notice = await until('the notice', async () => ((await page.evaluate('window.rings')) as number[])[before])
  const picture = await until('a picture newer than the press', async () =>
    (await seenFrames(page)).find(({ barcode, atMs }) => {
      const sent = barcode === undefined ? undefined : camera.frames(at).find((one) => one.index === barcode)
      return sent !== undefined && sent.sentMs <= atMs
    }),
  )
  return { notice: notice - at, picture: picture.atMs - at }
}

/** Back to the list of cameras, so that nobody watches. */
async function leave(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Dismiss' }).click()
  await page.evaluate("location.hash = '#/'")
  await page.getByRole('list', { name: 'Cameras' }).waitFor()
}

/** Notes when each ring comes onto the page, ms since the Unix epoch. */
async function noteRings(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    window.rings = []
    let shown = false
    new MutationObserver(() => {
      const now = document.querySelector('.ring[role="alert"]') !== null
      if (now && !shown) window.rings.push(performance.timeOrigin + performance.now())
      shown = now
    }).observe(document.body, { childList: true, subtree: true })
  })()`)
}

/** Waits until no picture comes from the device any more. */
async function isCold(gateway: GatewayHouse, camera: string): Promise<void> {
  await until('the session to end', async () => {
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    return !metrics.includes(`porchlight_producing{camera="${camera}"} 1`)
  })
}
