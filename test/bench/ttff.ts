/**
 * Time to first frame: Chromium over WHEP, joins at seeded random phases of a 4 s group, on loopback and through a link of
 * 8 Mbit/s and 50 ms RTT. Runs simulated camera, agent and gateway as they are; `--direct` puts the scene into the
 * gateway's media part alone. `--joins N`, `--bitrate BIT/S`, `--verbose`; `--file FILE` (with `--direct`)
 * takes the scene as somebody has encoded it before.
 */
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { startNode } from '../support/child.ts'
import { launchChromium } from '../support/chromium.ts'
import { seeded } from '../support/random.ts'
import { startUdpRelay, type UdpRelay } from '../support/udp-relay.ts'
import { openHouse } from './house-target.ts'
import { printSummaries, type Summary, summary } from './summary.ts'
import { type Measured, measure, stallWindowMs } from './ttff-measure.ts'
import { join, leave, type Seen, seen, type WhepTarget } from './whep-page.ts'

/** What is measured against. */
interface Target extends WhepTarget {
  mediaPort: number
  sentBefore(barcode: number, atMs: number): number | undefined
}

const groupMs = 4_000
const warmUps = 2
const halfRttMs = 25
const linkRate = 8_000_000

export interface Result {
  joins: number
  /** Joins without any picture, and those with pictures of which none became fresh: they are in no other figure of theirs. */
  failed: { first: number; fresh: number }
  first_ms: Summary
  fresh_ms: Summary
  stall_ms: Summary
  connected_ms: Summary
  sound_lost: number
}

export async function run(args: readonly string[]): Promise<{ loopback: Result; link: Result }> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      direct: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      joins: { type: 'string', default: '10' },
      bitrate: { type: 'string', default: '2000000' },
      file: { type: 'string' },
    },
  })
  await using stack = new AsyncDisposableStack()
  const bitrate = Number(values.bitrate)
  const target = values.direct ? await direct(stack, bitrate, values.file) : await house(stack, bitrate)
  const relay = stack.use(
    await startUdpRelay({
      target: { port: target.mediaPort },
      up: { rate: linkRate, delayMs: halfRttMs },
      down: { rate: linkRate, delayMs: halfRttMs },
    }),
  )
  const browser = await launchChromium()
  stack.defer(() => browser.close())
  const joins = Number(values.joins)
  const log = values.verbose ? (line: string) => process.stderr.write(`${line}\n`) : () => undefined
  const loopback = await series(browser, target, undefined, joins, log)
  const link = await series(browser, target, relay, joins, log)
  print('loopback', loopback)
  print('link', link)
  return { loopback, link }
}

function print(where: string, { joins, failed, sound_lost, ...series }: Result): void {
  printSummaries(Object.fromEntries(Object.entries(series).map(([name, one]) => [`${where} ${name}`, one])))
  process.stdout.write(`${where} sound lost: ${sound_lost} packets\n`)
  process.stdout.write(`${where} of ${joins} joins: ${failed.first} without a picture, ${failed.fresh} never fresh\n`)
}

async function series(
  browser: Browser,
  target: Target,
  relay: UdpRelay | undefined,
  count: number,
  log: (line: string) => void,
): Promise<Result> {
  const random = seeded(20)
  const page = await browser.newPage()
  await page.goto(target.page)
  const measured: Measured[] = []
  let pictureless = 0
  let soundLost = 0
  for (let index = -warmUps; index < count; index++) {
    await page.waitForTimeout(300 + random() * groupMs)
    const view = await once(page, target, relay)
    const figures = measure(view, target.sentBefore)
    if (index >= 0) {
      if (figures) measured.push(figures)
      else pictureless++
      soundLost = Math.max(soundLost, view.soundLost)
    }
    const relayed = relay ? ` overflowed ${relay.down.counts.overflowed}` : ''
    const times = figures
      ? `first ${figures.first.toFixed()} connected ${figures.connected.toFixed()} fresh ${figures.fresh?.toFixed() ?? 'never'} stall ${figures.stall.toFixed()}`
      : 'no picture'
    log(
      `${index < 0 ? 'warm-up: ' : ''}${times} frames ${view.frames.length} dropped ${view.framesDropped} sound lost ${view.soundLost}${relayed}`,
    )
  }
  await page.close()
  const fresh = measured.flatMap((one) => one.fresh ?? [])
  return {
    joins: count,
    failed: { first: pictureless, fresh: measured.length - fresh.length },
    first_ms: summary(measured.map(({ first }) => first)),
    fresh_ms: summary(fresh),
    stall_ms: summary(measured.map(({ stall }) => stall)),
    connected_ms: summary(measured.map(({ connected }) => connected)),
    sound_lost: soundLost,
  }
}

/** Longest wait for a first picture, ms. */
const firstMs = 15_000

async function once(page: Page, target: Target, relay: UdpRelay | undefined): Promise<Seen> {
  await join(page, target, { relayPort: relay?.port ?? 0, rttMs: relay ? halfRttMs * 2 : 0 })
  const deadline = Date.now() + firstMs
  let view = await seen(page)
  while (view.frames.length === 0 && Date.now() < deadline) {
    await page.waitForTimeout(50)
    view = await seen(page)
  }
  await page.waitForTimeout(stallWindowMs + 100)
  view = await seen(page)
  await leave(page)
  return view
}

/** The gateway's media part in a process of its own, the scene inside. */
async function direct(stack: AsyncDisposableStack, bitrate: number, file: string | undefined): Promise<Target> {
  const gateway = stack.use(
    startNode(new URL('ttff-gateway.ts', import.meta.url), {
      args: [String((groupMs / 1000) * 25), String(bitrate), ...(file === undefined ? [] : [file])],
    }),
  )
  const { url, udp, frames, startMs } = await gateway.json<{
    url: string
    udp: number
    frames: number
    startMs: number
  }>((line) => 'udp' in line)
  const loopMs = frames * 40
  return {
    page: url,
    whep: `${url}whep`,
    headers: {},
    mediaPort: udp,
    sentBefore: (barcode, atMs) => {
      const once = startMs + barcode * 40
      return once + Math.floor((atMs - once) / loopMs) * loopMs
    },
  }
}

async function house(stack: AsyncDisposableStack, bitrate: number): Promise<Target> {
  const target = await openHouse(stack, { gop: (groupMs / 1000) * 25, bitrate })
  return {
    ...target,
    sentBefore: (barcode, atMs) =>
      target.camera.frames().findLast(({ index, sentMs }) => index === barcode && sentMs <= atMs)?.sentMs,
  }
}
