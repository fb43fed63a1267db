/**
 * What the agent costs with one 720p25 camera (H.264, 2 Mbit/s, an empty scene with grain, so that motion works and sees
 * nothing): idle with motion on, and with one viewer. Its ffmpeg children are counted apart. Linux only (/proc).
 * Arguments: seconds of each measurement (20).
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findFfmpeg } from '../../device/ffmpeg/find-ffmpeg.ts'
import { startCamera } from '../sim/start-camera.ts'
import { AgentHouse, cameraThat, GatewayHouse } from '../support/house.ts'
import { until } from '../support/until.ts'
import { whepTarget } from './house-target.ts'
import { joinWhep } from './load/whep-viewer.ts'
import { childrenOf, totalUsage, usage } from './process-usage.ts'

const runProgram = promisify(execFile)
const settleMs = 10_000

interface Cost {
  cpu_pct: number
  rss_mb: number
  ffmpeg_cpu_pct: number
  ffmpeg_rss_mb: number
}

async function emptyScene(path: string): Promise<void> {
  const { path: ffmpeg } = await findFfmpeg(process.env)
  const source = ['-f', 'lavfi', '-i', 'smptebars=size=1280x720:rate=25:duration=20', '-vf', 'noise=alls=6:allf=t']
  const coder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p']
  const rate = ['-b:v', '2M', '-maxrate', '2M', '-bufsize', '2M', '-g', '100', '-sc_threshold', '0']
  await runProgram(ffmpeg, ['-v', 'error', '-y', ...source, ...coder, ...rate, path])
}

async function measure(pid: number, seconds: number): Promise<Cost> {
  const children = await childrenOf(pid)
  const begin = { at: performance.now(), agent: await usage(pid), ffmpeg: await totalUsage(children) }
  await wait(seconds * 1000)
  const elapsedS = (performance.now() - begin.at) / 1000
  const agent = await usage(pid)
  const ffmpeg = await totalUsage(children)
  const round = (value: number) => Math.round(value * 100) / 100
  return {
    cpu_pct: round(((agent.cpuS - begin.agent.cpuS) / elapsedS) * 100),
    rss_mb: round(agent.rssMb),
    ffmpeg_cpu_pct: round(((ffmpeg.cpuS - begin.ffmpeg.cpuS) / elapsedS) * 100),
    ffmpeg_rss_mb: round(ffmpeg.rssMb),
  }
}

export async function run(args: readonly string[]): Promise<{ idle: Cost; live: Cost }> {
  const seconds = Number(args[0] ?? 20)
  const cleanUps: (() => Promise<unknown>)[] = []
  const atEnd = (cleanUp: () => Promise<unknown>) => void cleanUps.unshift(cleanUp)
  try {
    const directory = await mkdtemp(join(tmpdir(), 'porchlight-bench-'))
    atEnd(() => rm(directory, { recursive: true, force: true }))
    const file = join(directory, 'empty.mp4')
    await emptyScene(file)
    const camera = await startCamera({ file, audio: false })
    atEnd(() => camera.close())
    const gateway = await GatewayHouse.open(atEnd)
    const agent = await AgentHouse.open(gateway, { source: { url: camera.url } }, atEnd)
    await cameraThat(gateway, agent.camera, (notice) => notice.state === 'live' && notice.motion === 'on')
    await wait(settleMs)
    const idle = await measure(agent.process.pid, seconds)
    const viewer = await joinWhep(await whepTarget(gateway, agent.camera))
    atEnd(() => viewer.close())
    await until('pictures at the viewer', () => viewer.counts().received > 100)
    await wait(settleMs)
    const live = await measure(agent.process.pid, seconds)
    const rows = Object.entries({ idle, live }).map(
      ([name, cost]) =>
        `${name.padEnd(6)}${String(cost.cpu_pct).padStart(8)} %${String(cost.rss_mb).padStart(9)} MB` +
        `${String(cost.ffmpeg_cpu_pct).padStart(10)} %${String(cost.ffmpeg_rss_mb).padStart(9)} MB`,
    )
    process.stdout.write(`          agent CPU   RSS        ffmpeg CPU  RSS\n${rows.join('\n')}\n`)
    return { idle, live }
  } finally {
    for (const cleanUp of cleanUps) await cleanUp()
  }
}
