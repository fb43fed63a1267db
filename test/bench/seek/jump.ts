import type { Page } from 'playwright-core'
import type { TimeSpan } from '../../../viewer/src/api/calls.ts'
import { barcodeReaderSource } from '../../support/barcode.ts'
import { until } from '../../support/until.ts'

interface Shown {
  barcode: number | undefined
  atMs: number
}

/** A camera's day with the moment on screen. */
export async function openEarlierPage(page: Page, camera: string, ms: number): Promise<void> {
  await page.evaluate(`location.hash = '#/earlier/${camera}?at=${Math.round(ms)}'`)
  await page.getByRole('region', { name: `Recording: ${camera}` }).waitFor()
  await page.locator('section.earlier-picture[data-state="shown"]').waitFor()
  await page.evaluate(`(() => {
    const read = ${barcodeReaderSource}
    const video = document.querySelector('video')
    window.shown = []
    const note = (atMs) => {
      shown.push({ barcode: read(video), atMs })
      video.requestVideoFrameCallback(note)
    }
    video.requestVideoFrameCallback(note)
    if (window.letGoAt === undefined) {
      window.letGoAt = 0
      addEventListener('pointerup', () => { window.letGoAt = performance.now() }, true)
    }
  })()`)
}

/**
 * Points at a moment on the strip of the day, and waits for its picture.
 * @param barcodesAt what the picture of a moment shows
 * @returns ms from the finger's letting go to the picture; the moment that the page then shows
 */
export async function timedJump(
  page: Page,
  day: TimeSpan,
  wanted: number,
  barcodesAt: (ms: number) => number[],
): Promise<{ ms: number; moment: number }> {
  const strip = (await page.getByRole('slider', { name: 'Time of day' }).boundingBox())!
  const x = strip.x + (strip.width * (wanted - day.fromMs)) / (day.toMs - day.fromMs)
  await page.evaluate('window.shown = []')
  await page.mouse.move(x, strip.y + strip.height / 2)
  await page.mouse.down()
  await page.mouse.up()
  const letGoMs = (await page.evaluate('window.letGoAt')) as number
  const moment = Number(await page.getByRole('slider', { name: 'Moment' }).getAttribute('aria-valuenow'))
  const right = barcodesAt(moment)
  const seen = await until(
    () => `the picture of ${new Date(moment).toISOString()}`,
    async () => {
      const shown = (await page.evaluate('window.shown')) as Shown[]
      return shown.find(({ barcode }) => barcode !== undefined && right.includes(barcode))
    },
  )
  return { ms: seen.atMs - letGoMs, moment }
}
