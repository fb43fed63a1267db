/**
 * Glass to glass, from the camera on: how old a picture is when Chromium shows it, from the moment the simulated camera sent
 * it (bar code) to the display time of the browser. On loopback, 4 s groups; beside it, in the same run with the same camera,
 * those of Janus, go2rtc and MediaMTX that are installed. `--seconds N` of watching (20), `--bitrate BIT/S` (2000000).
 */
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { type SimulatedCamera, startCamera } from '../sim/start-camera.ts'
import { launchChromium } from '../support/chromium.ts'
import { until } from '../support/until.ts'
import { openHouse } from './house-target.ts'
import { mountpoint, startJanus } from './peers/janus.ts'
import { janusFrames, watchJanus } from './peers/janus-page.ts'
import { type Absent, isAbsent, peer } from './peers/peer.ts'
import { type StartWhepPeer, whepPeers } from './peers/whep-peers.ts'
import { join, type ShownFrame, seen } from './whep-page.ts'

const warmUpMs = 5_000

export interface Glass {
  median: number
  p95: number
  min: number
  max: number
  pictures: number
}

export interface Result {
  glass_ms: Glass
  peers: Record<string, Glass | Absent>
}

export async function run(args: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: 'string', default: '20' }, bitrate: { type: 'string', default: '2000000' } },
  })
  const watchMs = Number(values.seconds) * 1_000
  const camera = { gop: 100, bitrate: Number(values.bitrate) }
  await using stack = new AsyncDisposableStack()
  const browser = await launchChromium()
  stack.defer(() => browser.close())
  const onPage = async (measure: (page: Page) => Promise<Glass>) => {
    const page = await browser.newPage()
    try {
      return await measure(page)
    } finally {
      await page.close()
    }
  }
  const own = await onPage((page) => house(page, camera, watchMs))
  const peers: Result['peers'] = { janus: await peer('janus', () => onPage((page) => janus(page, camera, watchMs))) }
  for (const [name, start] of Object.entries(whepPeers)) {
    peers[name] = await peer(name, () => onPage((page) => byWhep(page, start, camera, watchMs)))
  }
  for (const [name, figures] of Object.entries({ porchlight: own, ...peers }))
    if (!isAbsent(figures)) print(name, figures)
  return { glass_ms: own, peers }
}

async function house(page: Page, options: { gop: number; bitrate: number }, watchMs: number): Promise<Glass> {
  await using stack = new AsyncDisposableStack()
  const target = await openHouse(stack, options)
  await page.goto(target.page)
  await join(page, target, { relayPort: 0, rttMs: 0 })
  return await watch(page, async () => (await seen(page)).frames, target.camera, watchMs)
}

async function janus(page: Page, options: { gop: number; bitrate: number }, watchMs: number): Promise<Glass> {
  await using stack = new AsyncDisposableStack()
  const camera = stack.use(await startCamera(options))
  const { url } = await startJanus(stack, camera.url)
  await watchJanus(page, url, mountpoint)
  return await watch(page, () => janusFrames(page), camera, watchMs)
}

async function byWhep(
  page: Page,
  start: StartWhepPeer,
  options: { gop: number; bitrate: number },
  watchMs: number,
): Promise<Glass> {
  await using stack = new AsyncDisposableStack()
  const camera = stack.use(await startCamera(options))
  const target = await start(stack, camera.url)
  await page.goto(target.page)
  await join(page, target, { relayPort: 0, rttMs: 0 })
  return await watch(page, async () => (await seen(page)).frames, camera, watchMs)
}

async function watch(
  page: Page,
  frames: () => Promise<ShownFrame[]>,
  camera: SimulatedCamera,
  watchMs: number,
): Promise<Glass> {
  await until('a picture', async () => (await frames()).length > 0)
  await page.waitForTimeout(warmUpMs)
  const fromMs = Date.now()
  await page.waitForTimeout(watchMs)
  const shown = (await frames()).filter(({ atMs }) => atMs >= fromMs)
  return glass(ages(shown, camera))
}

/** How old each picture was when it was shown, ms. */
function ages(shown: readonly ShownFrame[], camera: SimulatedCamera): number[] {
  const sent = camera.frames()
  return shown.flatMap(({ atMs, readMs, barcode }) => {
    // A page that reads late may read a newer picture, which would seem younger than it is.
    const seenMs = Math.max(atMs, readMs)
    const sentMs = sent.findLast(({ index, sentMs }) => index === barcode && sentMs <= seenMs)?.sentMs
    return sentMs === undefined ? [] : [seenMs - sentMs]
  })
}

function glass(of: readonly number[]): Glass {
  if (of.length === 0) throw new Error('no picture with a readable bar code was shown')
  const sorted = of.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!)
  return { median: at(0.5), p95: at(0.95), min: at(0), max: at(1), pictures: sorted.length }
}

function print(name: string, { median, p95, min, max, pictures }: Glass): void {
  process.stdout.write(
    `${name.padEnd(12)} median ${median} ms  p95 ${p95} ms  min ${min} ms  max ${max} ms  of ${pictures} pictures\n`,
  )
}
