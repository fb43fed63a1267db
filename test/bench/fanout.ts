/**
 * What a packet to a viewer costs: one 720p25 camera (2 Mbit/s, 4 s groups, with sound), many viewers in another process that
 * answer as browsers do (receiver reports, transport-wide feedback), CPU and memory of the whole gateway. Beside it, in the
 * same run with the same camera and viewers, those of Janus, go2rtc and MediaMTX that are installed. Linux only (/proc).
 * `--viewers 20,40,200`, `--peer-viewers 20,40`, `--seconds N` of each measurement (20). The gateway records no more than the
 * others do; with `--recording` it does, all the time.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startCamera } from '../sim/start-camera.ts'
import { until } from '../support/until.ts'
import { openHouse } from './house-target.ts'
import { type Load, type LoadTarget, startLoad } from './load/load.ts'
import { mountpoint, startJanus } from './peers/janus.ts'
import { type Absent, peer } from './peers/peer.ts'
import { type StartWhepPeer, whepPeers } from './peers/whep-peers.ts'
import { usage } from './process-usage.ts'

/** With one viewer, before anything is counted: the gateway's heap has grown and its code is compiled by then. */
const warmUpMs = 30_000
/** After each number of viewers has joined. */
const settleMs = 10_000
const camera = { gop: 100, bitrate: 2_000_000 }

/** What one number of viewers cost. */
interface Cost {
  usPerPacket: number
  cpuMsPerMbit: number
  deliveredRatio: number
  kbPerViewer: number
  joinCpuMs: number
}

/** Per packet: by the number of viewers. All else: with the most of them. */
interface Figures {
  us_per_packet: Record<string, number>
  cpu_ms_per_mbit: number
  delivered_ratio: number
  kb_per_viewer: number
  join_cpu_ms: number
}

export interface Result extends Figures {
  peers: Record<string, Figures | Absent>
}

export async function run(args: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      viewers: { type: 'string', default: '20,40,200' },
      'peer-viewers': { type: 'string', default: '20,40' },
      seconds: { type: 'string', default: '20' },
      recording: { type: 'boolean', default: false },
    },
  })
  const seconds = Number(values.seconds)
  const own = figures('gateway', await house(numbers(values.viewers), seconds, values.recording))
  const counts = numbers(values['peer-viewers'])
  const beside = async (name: string, cost: () => Promise<Map<number, Cost>>) =>
    await peer(name, async () => figures(name, await cost()))
  const peers: Result['peers'] = { janus: await beside('janus', () => janus(counts, seconds)) }
  for (const [name, start] of Object.entries(whepPeers)) {
    peers[name] = await beside(name, () => byWhep(start, counts, seconds))
  }
  return { ...own, peers }
}

const numbers = (list: string) => list.split(',').map(Number)

async function house(counts: readonly number[], seconds: number, motion: boolean): Promise<Map<number, Cost>> {
  await using stack = new AsyncDisposableStack()
  const most = Math.max(...counts)
  const media = { maxViewers: most, maxViewersPerCamera: most }
  const target = await openHouse(stack, camera, { motion, gateway: { media } })
  const { whep, headers } = target
  return await series(target.gatewayPid, { kind: 'whep', whep, headers }, counts, seconds)
}

async function janus(counts: readonly number[], seconds: number): Promise<Map<number, Cost>> {
  await using stack = new AsyncDisposableStack()
  const source = stack.use(await startCamera(camera))
  const { pid, url, address } = await startJanus(stack, source.url)
  return await series(pid, { kind: 'janus', url, address, mountpoint }, counts, seconds)
}

async function byWhep(start: StartWhepPeer, counts: readonly number[], seconds: number): Promise<Map<number, Cost>> {
  await using stack = new AsyncDisposableStack()
  const source = stack.use(await startCamera(camera))
  const { pid, whep, headers } = await start(stack, source.url)
  return await series(pid, { kind: 'whep', whep, headers }, counts, seconds)
}

/** Ever more viewers of one server. */
async function series(
  pid: number,
  target: LoadTarget,
  counts: readonly number[],
  seconds: number,
): Promise<Map<number, Cost>> {
  await using load = startLoad(target)
  await joined(load, 1, 0)
  await wait(warmUpMs)
  const costs = new Map<number, Cost>()
  const look = async () => ({ ...(await usage(pid)), ...(await load.counts()) })
  const empty = await look()
  let present = 1
  for (const count of counts) {
    const before = await look()
    const more = count - present
    await joined(load, more, present)
    await wait(settleMs)
    const begin = await look()
    await wait(seconds * 1_000)
    const end = await look()
    const packets = end.received - begin.received
    const lost = end.lost - begin.lost
    const cpuMs = (end.cpuS - begin.cpuS) * 1_000
    const usPerPacket = (cpuMs * 1_000) / packets
    const joinMs = (begin.cpuS - before.cpuS) * 1_000 - (usPerPacket * (begin.received - before.received)) / 1_000
    costs.set(count, {
      usPerPacket,
      cpuMsPerMbit: cpuMs / (((end.bytes - begin.bytes) * 8) / 1e6),
      deliveredRatio: packets / (packets + lost),
      kbPerViewer: ((end.rssMb - empty.rssMb) * 1_024) / (count - 1),
      joinCpuMs: joinMs / more,
    })
    present = count
  }
  return costs
}

async function joined(load: Load, more: number, present: number): Promise<void> {
  await load.join(more)
  await until(
    `packets at each of ${present + more} viewers`,
    async () => (await load.counts()).served === present + more,
  )
}

/** Says them, too. */
function figures(name: string, costs: Map<number, Cost>): Figures {
  print(name, costs)
  const last = [...costs.values()].at(-1)!
  return {
    us_per_packet: Object.fromEntries([...costs].map(([count, cost]) => [count, rounded(cost.usPerPacket)])),
    cpu_ms_per_mbit: rounded(last.cpuMsPerMbit),
    delivered_ratio: Math.min(...[...costs.values()].map((cost) => cost.deliveredRatio)),
    kb_per_viewer: Math.round(last.kbPerViewer),
    join_cpu_ms: rounded(last.joinCpuMs),
  }
}

function print(name: string, costs: Map<number, Cost>): void {
  for (const [count, cost] of costs) {
    process.stdout.write(
      `${name} ${String(count).padStart(4)} viewers  ${rounded(cost.usPerPacket)} µs a packet  ` +
        `${rounded(cost.cpuMsPerMbit)} ms a Mbit  delivered ${cost.deliveredRatio.toFixed(4)}  ` +
        `${Math.round(cost.kbPerViewer)} KB a viewer  ${rounded(cost.joinCpuMs)} ms a join\n`,
    )
  }
}

const rounded = (value: number) => Math.round(value * 100) / 100
