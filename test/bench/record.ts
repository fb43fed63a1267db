/**
 * What recording costs: synthetic cameras of 2 Mbit/s (25 fps, 4 s groups) straight into the recorder, with its real
 * durability, in a process of its own. Beside it, where they are installed, ffmpeg copying as many RTSP cameras and MediaMTX
 * recording them. Linux only (/proc). `--streams 20,100`, `--peer-streams 20`, `--seconds N` of each measurement (20).
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startCamera } from '../sim/start-camera.ts'
import { startChild, startNode } from '../support/child.ts'
import { ffmpegPath } from '../support/decode.ts'
import { within } from '../support/within.ts'
import { type Absent, peer } from './peers/peer.ts'
import { startMediamtx } from './peers/whep-peers.ts'
import { totalUsage, usage } from './process-usage.ts'
import type { Counts } from './record/synthetic-camera.ts'

const warmUpMs = 15_000
const answerMs = 20_000
/** As slow as a bad SD card, ms for each fsync. */
const slowFsync = '30-200'
const slowStreams = 20

interface Cost {
  cpuMsPerSPerStream: number
  writeAmplification: number
  /** Those of the index included. */
  fsyncsPerS: number
  indexFsyncsPerS: number
  maxPacketDelayMs: number
  errors: number
}

interface PeerCost {
  cpu_ms_per_s_per_stream: number
}

export interface Result {
  cpu_ms_per_s_per_stream: Record<string, number>
  write_amplification: number
  fsyncs_per_s: number
  slow_fsync: { max_packet_delay_ms: number }
  peers: Record<'ffmpeg_copy' | 'mediamtx', PeerCost | Absent>
}

export async function run(args: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      streams: { type: 'string', default: '20,100' },
      'peer-streams': { type: 'string', default: '20' },
      seconds: { type: 'string', default: '20' },
    },
  })
  const seconds = Number(values.seconds)
  const costs = new Map<number, Cost>()
  for (const streams of values.streams.split(',').map(Number)) {
    const cost = await recording(streams, seconds, {})
    tell(`${streams} streams`, cost)
    costs.set(streams, cost)
  }
  const slow = await recording(slowStreams, seconds, { FSYNC_DELAY_MS: slowFsync })
  tell(`${slowStreams} streams, fsyncs of ${slowFsync} ms`, slow)
  const peerStreams = Number(values['peer-streams'])
  const peers = {
    ffmpeg_copy: await beside('ffmpeg_copy', () => ffmpegCopy(peerStreams, seconds)),
    mediamtx: await beside('mediamtx', () => mediamtx(peerStreams, seconds)),
  }
  const most = [...costs.values()].at(-1)!
  return {
    cpu_ms_per_s_per_stream: Object.fromEntries([...costs].map(([count, cost]) => [count, cost.cpuMsPerSPerStream])),
    write_amplification: most.writeAmplification,
    fsyncs_per_s: most.fsyncsPerS,
    slow_fsync: { max_packet_delay_ms: slow.maxPacketDelayMs },
    peers,
  }
}

async function recording(streams: number, seconds: number, env: Readonly<Record<string, string>>): Promise<Cost> {
  await using stack = new AsyncDisposableStack()
  const directory = await scratch(stack)
  const meter = new URL('record/fsync-meter.ts', import.meta.url).href
  const child = startNode(new URL('record/recorder-host.ts', import.meta.url), {
    args: [JSON.stringify({ directory, streams })],
    env: { ...env, NODE_OPTIONS: `--import ${meter}` },
  })
  stack.use(child)
  let asked = 0
  const look = async () => {
    const answer = child.json<Counts & Record<string, unknown>>(
      (line) => line.recorded === true && line.asked === asked,
    )
    child.say(String(asked))
    const counts = await within('the recorder', answerMs, answer)
    asked++
    return { ...counts, ...(await usage(child.pid)), written: await writtenBytes(child.pid) }
  }
  await wait(warmUpMs)
  const begin = await look()
  await wait(seconds * 1_000)
  const end = await look()
  return {
    cpuMsPerSPerStream: rounded(((end.cpuS - begin.cpuS) * 1_000) / seconds / streams),
    writeAmplification: rounded((end.written - begin.written) / (end.bytes - begin.bytes)),
    fsyncsPerS: rounded((end.fsyncs + end.commits - begin.fsyncs - begin.commits) / seconds),
    indexFsyncsPerS: rounded((end.commits - begin.commits) / seconds),
    maxPacketDelayMs: rounded(end.latestMs),
    errors: end.errors,
  }
}

/** What went to the disk for a process, as pages (proc(5), `write_bytes`). */
async function writtenBytes(pid: number): Promise<number> {
  return Number(/^write_bytes: (\d+)/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))![1])
}

async function ffmpegCopy(streams: number, seconds: number): Promise<PeerCost> {
  await using stack = new AsyncDisposableStack()
  const camera = stack.use(await startCamera({ gop: 100, bitrate: 2_000_000 }))
  const directory = await scratch(stack)
  const pids = Array.from({ length: streams }, (_, index) => {
    const input = ['-v', 'error', '-nostdin', '-rtsp_transport', 'tcp', '-i', camera.url]
    const output = ['-an', '-c', 'copy', '-movflags', '+frag_keyframe+empty_moov', join(directory, `${index}.mp4`)]
    return stack.use(startChild(ffmpegPath(), { args: [...input, ...output] })).pid
  })
  return await peerCost(() => totalUsage(pids), streams, seconds)
}

async function mediamtx(streams: number, seconds: number): Promise<PeerCost> {
  await using stack = new AsyncDisposableStack()
  const camera = stack.use(await startCamera({ gop: 100, bitrate: 2_000_000 }))
  const directory = await scratch(stack)
  const { pid } = await startMediamtx(stack, camera.url, { streams, directory })
  return await peerCost(() => usage(pid), streams, seconds)
}

async function peerCost(look: () => Promise<{ cpuS: number }>, streams: number, seconds: number): Promise<PeerCost> {
  await wait(warmUpMs)
  const begin = await look()
  await wait(seconds * 1_000)
  const end = await look()
  return { cpu_ms_per_s_per_stream: rounded(((end.cpuS - begin.cpuS) * 1_000) / seconds / streams) }
}

async function beside(name: string, run: () => Promise<PeerCost>): Promise<PeerCost | Absent> {
  const cost = await peer(name, run)
  if ('cpu_ms_per_s_per_stream' in cost) {
    process.stdout.write(`${name}  ${cost.cpu_ms_per_s_per_stream} ms of CPU a second for each stream\n`)
  }
  return cost
}

async function scratch(stack: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'porchlight-record-'))
  stack.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  return directory
}

function tell(what: string, cost: Cost): void {
  process.stdout.write(
    `${what}  ${cost.cpuMsPerSPerStream} ms of CPU a second for each  ${cost.writeAmplification} × written  ` +
      `${cost.fsyncsPerS} fsyncs a second (${cost.indexFsyncsPerS} of the index)  longest delay ${cost.maxPacketDelayMs} ms  ${cost.errors} errors\n`,
  )
}

const rounded = (value: number) => Math.round(value * 100) / 100
