import { type Browser, launch, type Page } from 'puppeteer-core'
import type { AtEnd } from './child.ts'
import { findProgram } from './find-program.ts'
import type { GatewayHouse } from './house.ts'

/** `FIREFOX_PATH`, Debian's Firefox ESR or another; throws where there is none. */
export const firefoxPath = (): string => findProgram('FIREFOX_PATH', 'firefox-esr', 'firefox')

const preferences = {
  // Sound of a page nobody has touched is measured.
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // What a Firefox of one's own fetches later and would make it another browser: H.264 for WebRTC.
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-gmpopenh264.enabled': false,
}

/**
 * Starts a headless Firefox with a profile of its own, driven over WebDriver BiDi; closed by `atEnd` (vitest's
 * `onTestFinished` or `afterAll`). It has H.264 for MSE and none for WebRTC.
 */
export async function openFirefox(atEnd: AtEnd): Promise<Browser> {
  const browser = await launch({
    browser: 'firefox',
    executablePath: firefoxPath(),
    headless: true,
    extraPrefsFirefox: preferences,
    timeout: 120_000,
  })
  atEnd(() => browser.close())
  return browser
}

/** A page signed in by a one-time link. */
export async function openFirefoxPage(browser: Browser, gateway: GatewayHouse): Promise<Page> {
  const page = await browser.newPage()
  page.setDefaultTimeout(120_000)
  await page.goto(await gateway.signInLink())
  await page.waitForSelector('::-p-aria([name="Cameras"][role="list"])')
  return page
}
