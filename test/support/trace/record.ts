/**
 * Records what a gateway hears from a Chromium: `node test/support/trace/record.ts thin|stalls FILE`.
 * `thin`: 3 Mbit/s and 50 ms RTT, 400 kbit/s from 6 s to 12 s. `stalls`: loopback, all of Chromium stands still for 100, 300 and
 * 500 ms in turn, once a second, while the processors are kept busy.
 */
import { execFileSync, spawn } from 'node:child_process'
import { join as joinWhep, leave } from '../../bench/whep-page.ts'
import { startNode } from '../child.ts'
import { launchChromium } from '../chromium.ts'
import { startUdpRelay } from '../udp-relay.ts'

const wide = { rate: 3_000_000, delayMs: 25 }
const narrow = { rate: 400_000, delayMs: 25 }
const [kind, file] = process.argv.slice(2)
if ((kind !== 'thin' && kind !== 'stalls') || file === undefined) throw new Error('which trace, and where to?')

await using stack = new AsyncDisposableStack()
const hook = new URL('hook.ts', import.meta.url).href
const about =
  kind === 'thin' ? '3 Mbit/s, 400 kbit/s from 6 s to 12 s; RTT 50 ms' : 'loopback, Chromium stands still once a second'
const gateway = stack.use(
  startNode(new URL('../../bench/ttff-gateway.ts', import.meta.url), {
    args: ['100', '2000000'],
    env: { NODE_OPTIONS: `--import ${hook}`, TRACE_TO: file, TRACE_ABOUT: `Chromium over WHEP, 2 Mbit/s, ${about}` },
  }),
)
const { url, udp } = await gateway.json<{ url: string; udp: number }>((line) => 'udp' in line)
const browser = await launchChromium()
stack.defer(() => browser.close())
const page = await browser.newPage()
await page.goto(url)
const target = { page: url, whep: `${url}whep`, headers: {} }
const waitMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

if (kind === 'thin') {
  const relay = stack.use(await startUdpRelay({ target: { port: udp }, up: wide, down: wide }))
  await joinWhep(page, target, { relayPort: relay.port, rttMs: 50 })
  await waitMs(6_000)
  relay.down.impairment = narrow
  await waitMs(6_000)
  relay.down.impairment = wide
  await waitMs(6_000)
} else {
  await joinWhep(page, target, { relayPort: 0, rttMs: 0 })
  const busy = Array.from({ length: 2 }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
  const ours = descendants(process.pid).filter((pid) => pid !== gateway.pid && !busy.some((one) => one.pid === pid))
  for (let second = 0; second < 10; second++) {
    await waitMs(1_000)
    for (const pid of ours) signal(pid, 'SIGSTOP')
    await waitMs([100, 300, 500][second % 3]!)
    for (const pid of ours) signal(pid, 'SIGCONT')
  }
  for (const one of busy) one.kill()
}
await leave(page)

/** Processes that this one has started, and those that they have. */
function descendants(pid: number): number[] {
  const pairs = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const children = pairs.filter(([, parent]) => parent === pid).map(([child]) => child!)
  return children.flatMap((child) => [child, ...descendants(child)])
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It may have ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
