/**
 * A poor link: Chromium over WHEP behind a relay, first with 5 % loss each way and 50 ms RTT, then on 3 Mbit/s that become
 * 400 kbit/s and 3 Mbit/s again. Simulated camera with main and sub stream, agent and gateway run as they are.
 * `--seconds N` of each part (default 20), `--bitrate BIT/S` of the main stream (default 2000000), `--part loss5|drop` of the
 * two alone, `--verbose`: what was shown second by second.
 */
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'
import { type Impairment, startUdpRelay } from '../support/udp-relay.ts'
import { type HouseTarget, openHouse } from './house-target.ts'
import { freezes, movingAgain, widthAgain } from './lossy-measure.ts'
import { join, leave, type Seen, seen } from './whep-page.ts'

const delayMs = 25
const wide = 3_000_000
const thin = 400_000
/** By then the page has seen that packets are lost, and pictures wait for their repair. */
const warmUpMs = 10_000
/** The main layer has so long to be there before the link becomes thin, ms. */
const mainWaitMs = 20_000
/** Of the main stream, pixels. */
const mainWidth = 1_280

type Log = (line: string) => void

export interface Result {
  loss5: { freezes_over_300ms: number; frames_ratio: number; audio_concealed_ratio: number }
  drop: {
    /** What was shown before the link became thin. */
    began_on: 'main' | 'sub'
    moving_again_s: number | null
    back_on_main_s: number | null
    audio_concealed_ratio: number
  }
}

export async function run(args: readonly string[]): Promise<Partial<Result>> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '20' },
      bitrate: { type: 'string', default: '2000000' },
      part: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  })
  const partMs = Number(values.seconds) * 1_000
  await using stack = new AsyncDisposableStack()
  const target = await openHouse(stack, { gop: 100, bitrate: Number(values.bitrate) }, { sub: true })
  const browser = await launchChromium()
  stack.defer(() => browser.close())
  const page = await browser.newPage()
  await page.goto(target.page)
  const log = values.verbose ? (line: string) => process.stderr.write(`${line}\n`) : () => undefined
  const result: Partial<Result> = {}
  if (values.part !== 'drop') result.loss5 = await loss(page, target, partMs, log)
  if (values.part !== 'loss5') result.drop = await drop(page, target, partMs, log)
  for (const [part, figures] of Object.entries(result)) {
    for (const [name, value] of Object.entries(figures)) process.stdout.write(`${part} ${name}  ${value ?? 'never'}\n`)
  }
  return result
}

async function loss(page: Page, target: HouseTarget, partMs: number, log: Log): Promise<Result['loss5']> {
  await using link = await behind(page, target, { loss: 0.05, delayMs })
  const { before, fromMs } = await link.warm()
  await page.waitForTimeout(partMs)
  const { view, atMs } = await link.look()
  tell(view, fromMs, atMs, log)
  const sent = target.camera.frames(fromMs, 'main').filter(({ sentMs }) => sentMs < atMs).length
  return {
    freezes_over_300ms: freezes(view.frames, fromMs, atMs),
    frames_ratio: rounded((view.shown - before.shown) / sent),
    audio_concealed_ratio: concealed(before, view),
  }
}

async function drop(page: Page, target: HouseTarget, partMs: number, log: Log): Promise<Result['drop']> {
  await using link = await behind(page, target, { rate: wide, delayMs })
  await mainShown(page)
  const { before, fromMs: thinMs } = await link.warm()
  const onMain = before.frames.at(-1)?.width === mainWidth
  link.relay.down.impairment = { rate: thin, delayMs }
  await page.waitForTimeout(partMs)
  const { atMs: wideMs } = await link.look()
  link.relay.down.impairment = { rate: wide, delayMs }
  await page.waitForTimeout(partMs)
  const { view, atMs } = await link.look()
  tell(view, thinMs, atMs, log)
  return {
    began_on: onMain ? 'main' : 'sub',
    moving_again_s: seconds(movingAgain(view.frames, thinMs, wideMs)),
    back_on_main_s: seconds(widthAgain(view.frames, mainWidth, wideMs, atMs)),
    audio_concealed_ratio: concealed(before, view),
  }
}

/** Waits a while for the main layer; without it the result says what it began on. */
async function mainShown(page: Page): Promise<void> {
  const deadline = Date.now() + mainWaitMs
  while ((await seen(page)).frames.at(-1)?.width !== mainWidth && Date.now() < deadline) await page.waitForTimeout(200)
}

/** A session through a relay of its own. */
async function behind(page: Page, target: HouseTarget, impairment: Impairment) {
  const relay = await startUdpRelay({ target: { port: target.mediaPort }, up: impairment, down: impairment })
  await join(page, target, { relayPort: relay.port, rttMs: delayMs * 2 })
  const look = async () => ({ view: await seen(page), atMs: Date.now() })
  return {
    relay,
    look,
    warm: async () => {
      await page.waitForTimeout(warmUpMs)
      const { view: before, atMs: fromMs } = await look()
      return { before, fromMs }
    },
    [Symbol.asyncDispose]: async () => {
      await leave(page)
      await relay.close()
    },
  }
}

/** Pictures of each width, second by second, and what the browser counted from the tap on. */
function tell({ frames, counts }: Seen, fromMs: number, toMs: number, log: Log): void {
  for (let atMs = fromMs; atMs < toMs; atMs += 1_000) {
    const widths: Record<number, number> = {}
    for (const frame of frames) {
      if (frame.atMs < atMs || frame.atMs >= atMs + 1_000) continue
      widths[frame.width] = (widths[frame.width] ?? 0) + 1
    }
    const shown = Object.entries(widths).map(([width, count]) => `${count} of ${width}`)
    log(`${((atMs - fromMs) / 1_000).toFixed()} s: ${shown.join(', ') || 'nothing'}`)
  }
  log(JSON.stringify(counts))
}

function concealed(before: Seen, after: Seen): number {
  const samples = after.samples - before.samples
  return samples === 0 ? 1 : rounded((after.concealed - before.concealed) / samples)
}

const rounded = (value: number) => Math.round(value * 1_000) / 1_000
const seconds = (ms: number | null) => (ms === null ? null : Math.round(ms / 10) / 100)
