import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'
import type { AtEnd } from './child.ts'
import { findProgram } from './find-program.ts'

/** Chromium as a phone's browser stands in tests; background traffic off, QUIC off, no sandbox (tests run as root). */
export const chromiumFlags: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  // A page that is not in front is still measured.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
]

export interface ChromiumOptions {
  /** WAV file that the microphone hears, over and over; without it a microphone that beeps. */
  microphone?: string
  flags?: readonly string[]
}

/** `CHROMIUM_PATH`, Debian's Chromium or Google Chrome; throws where there is none. */
export const chromiumPath = (): string =>
  findProgram('CHROMIUM_PATH', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')

/** Starts a headless Chromium with a microphone made of a file. */
export function launchChromium({ microphone, flags = [] }: ChromiumOptions = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: [
      ...chromiumFlags,
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      ...(microphone === undefined ? [] : [`--use-file-for-fake-audio-capture=${microphone}`]),
      ...flags,
    ],
  })
}

/** A context of a phone's size, with the microphone allowed. */
export async function phoneContext(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    permissions: ['microphone'],
    ...options,
  })
  context.setDefaultTimeout(120_000)
  return context
}

/** {@link launchChromium}, closed by `atEnd` (vitest's `onTestFinished` or `afterAll`). */
export async function openChromium(atEnd: AtEnd, options: ChromiumOptions = {}): Promise<Browser> {
  const browser = await launchChromium(options)
  atEnd(() => browser.close())
  return browser
}
