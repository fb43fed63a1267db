/**
 * Time to first frame: Chromium over WHEP, joins at seeded random phases of a 4 s group, on loopback and through a link of
 * 8 Mbit/s and 50 ms RTT. Runs simulated camera, agent and gateway as they are; `--direct` puts the scene into the
 * gateway's media part alone. `--joins N`, `--bitrate BIT/S`, `--verbose`; `--file FILE` (with `--direct`)
 * takes the scene as somebody has encoded it before.
 */
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { startCamera } from '../sim/start-camera.ts'
import { type AtEnd, startNode } from '../support/child.ts'
import { launchChromium } from '../support/chromium.ts'
import { AgentHouse, cameraThat, GatewayHouse } from '../support/house.ts'
import { seeded } from '../support/random.ts'
import { startUdpRelay, type UdpRelay } from '../support/udp-relay.ts'
import { printSummaries, type Summary, summary } from './summary.ts'
import { type Measured, measure } from './ttff-measure.ts'
import { type Join, joinSource } from './ttff-page.ts'

/** What is measured against. */
interface Target {
  /** A page of the same origin. */
  page: string
  whep: string
  headers: Record<string, string>
  mediaPort: number
  sentBefore(barcode: number, atMs: number): number | undefined
}

const groupMs = 4_000
const warmUps = 2
const halfRttMs = 25
const linkRate = 8_000_000

export interface Result {
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

function print(where: string, { sound_lost, ...series }: Result): void {
  printSummaries(Object.fromEntries(Object.entries(series).map(([name, one]) => [`${where} ${name}`, one])))
  process.stdout.write(`${where} sound lost: ${sound_lost} packets\n`)
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
  let soundLost = 0
  for (let index = -warmUps; index < count; index++) {
    await page.waitForTimeout(300 + random() * groupMs)
    const join = await once(page, target, relay)
    const figures = measure(join, target.sentBefore)
    if (index >= 0) {
      measured.push(figures)
      soundLost = Math.max(soundLost, join.soundLost)
    }
    const relayed = relay ? ` overflowed ${relay.down.counts.overflowed}` : ''
    log(
      `${index < 0 ? 'warm-up: ' : ''}first ${figures.first.toFixed()} connected ${figures.connected.toFixed()} fresh ${figures.fresh.toFixed()} ` +
        `stall ${figures.stall.toFixed()} frames ${join.frames.length} dropped ${join.framesDropped} sound lost ${join.soundLost}${relayed}`,
    )
  }
  await page.close()
  return {
    first_ms: summary(measured.map(({ first }) => first)),
    fresh_ms: summary(measured.map(({ fresh }) => fresh)),
    stall_ms: summary(measured.map(({ stall }) => stall)),
    connected_ms: summary(measured.map(({ connected }) => connected)),
    sound_lost: soundLost,
  }
}

function once(page: Page, target: Target, relay: UdpRelay | undefined): Promise<Join> {
  const link = { relayPort: relay?.port ?? 0, rttMs: relay ? halfRttMs * 2 : 0, seconds: 5.1 }
  const args = [target.whep, target.headers, link].map((value) => JSON.stringify(value)).join(', ')
  return page.evaluate(`${joinSource}(${args})`) as Promise<Join>
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

/** Camera in this process, gateway and agent in theirs. */
async function house(stack: AsyncDisposableStack, bitrate: number): Promise<Target> {
  const atEnd: AtEnd = (cleanUp) => stack.defer(cleanUp)
  const camera = stack.use(await startCamera({ gop: (groupMs / 1000) * 25, bitrate }))
  const gateway = await GatewayHouse.open(atEnd)
  const agent = await AgentHouse.open(gateway, { source: { url: camera.url } }, atEnd)
  await cameraThat(gateway, agent.camera, ({ state, online }) => online && state === 'live')
  const token = (await gateway.cli('token', '--camera', agent.camera, '--ttl', '1h')).split(/\s+/).at(-1)!
  return {
    page: `${gateway.url}/api/health`,
    whep: `${gateway.url}/api/cameras/${agent.camera}/whep`,
    headers: { authorization: `Bearer ${token}` },
    mediaPort: gateway.mediaPort,
    sentBefore: (barcode, atMs) =>
      camera.frames().findLast(({ index, sentMs }) => index === barcode && sentMs <= atMs)?.sentMs,
  }
}
