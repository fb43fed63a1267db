import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '../../support/child.ts'
import { findProgram } from '../../support/find-program.ts'
import { freePort, freeUdpPort } from '../../support/ports.ts'
import { until } from '../../support/until.ts'
import { within } from '../../support/within.ts'
import type { WhepTarget } from '../whep-page.ts'
import { answers } from './answers.ts'

const startMs = 20_000

/** A rival whose one camera is watched by WHEP. */
export interface WhepPeer extends WhepTarget {
  pid: number
}

/** Takes a camera in by RTSP. @throws Error where there is no such program, or it does not start */
export type StartWhepPeer = (stack: AsyncDisposableStack, cameraUrl: string) => Promise<WhepPeer>

/** Those that are asked for where they are on PATH, each with what it does not need for this switched off. */
export const whepPeers: Readonly<Record<string, StartWhepPeer>> = {
  go2rtc: startGo2rtc,
  mediamtx: (stack, cameraUrl) => startMediamtx(stack, cameraUrl),
}

async function startGo2rtc(stack: AsyncDisposableStack, cameraUrl: string): Promise<WhepPeer> {
  const program = findProgram('GO2RTC_PATH', 'go2rtc')
  const port = await freePort()
  const media = `127.0.0.1:${await freeUdpPort()}`
  const settings = {
    api: { listen: `127.0.0.1:${port}` },
    rtsp: { listen: '' },
    srtp: { listen: '' },
    webrtc: { listen: media, candidates: [media], ice_servers: [], filters: { networks: ['udp4'], loopback: true } },
    streams: { camera: cameraUrl },
  }
  const child = startChild(program, { args: ['-config', JSON.stringify(settings)] })
  stack.use(child)
  const url = `http://127.0.0.1:${port}/api`
  await until('the API of go2rtc', () => answers(url), startMs)
  return { pid: child.pid, page: url, whep: `${url}/webrtc?src=camera`, headers: {} }
}

/** @param recorded the camera is taken in so many times more, and recorded there each time */
export async function startMediamtx(
  stack: AsyncDisposableStack,
  cameraUrl: string,
  recorded: { streams: number; directory: string } = { streams: 0, directory: '' },
): Promise<WhepPeer> {
  const program = findProgram('MEDIAMTX_PATH', 'mediamtx')
  const port = await freePort()
  const source = { source: cameraUrl, rtspTransport: 'tcp' }
  const recordPath = join(recorded.directory, '%path/%Y-%m-%d_%H-%M-%S-%f')
  const copies = Array.from({ length: recorded.streams }, (_, index) => [
    `copy-${index}`,
    { ...source, record: true, recordPath },
  ])
  const settings = {
    ...{ rtsp: false, rtmp: false, hls: false, srt: false },
    webrtcAddress: `127.0.0.1:${port}`,
    webrtcLocalUDPAddress: `127.0.0.1:${await freeUdpPort()}`,
    webrtcIPsFromInterfaces: false,
    webrtcAdditionalHosts: ['127.0.0.1'],
    paths: Object.fromEntries([['camera', source], ...copies]),
  }
  const folder = await mkdtemp(join(tmpdir(), 'porchlight-mediamtx-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  // It reads YAML, of which JSON is a part.
  const file = join(folder, 'mediamtx.yml')
  await writeFile(file, JSON.stringify(settings))
  const child = startChild(program, { args: [file] })
  stack.use(child)
  await within("MediaMTX's camera", startMs, child.line(/\b2 tracks\b/))
  const url = `http://127.0.0.1:${port}`
  return { pid: child.pid, page: `${url}/camera`, whep: `${url}/camera/whep`, headers: {} }
}
