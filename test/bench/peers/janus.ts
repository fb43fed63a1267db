import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '../../support/child.ts'
import { findProgram } from '../../support/find-program.ts'
import { freePort, freeUdpPort } from '../../support/ports.ts'
import { until } from '../../support/until.ts'
import { answers } from './answers.ts'

/** The one mountpoint. */
export const mountpoint = 1

const startMs = 20_000

export interface Janus {
  /** Of its HTTP API. */
  url: string
  /** Where it sends media from, and where its viewers must be. */
  address: string
  pid: number
}

/**
 * A Janus (`apt install janus`) that takes a camera in by RTSP and gives it to who watches {@link mountpoint}.
 * @throws Error where there is none, or it does not start
 */
export async function startJanus(stack: AsyncDisposableStack, cameraUrl: string): Promise<Janus> {
  const program = findProgram('JANUS_PATH', 'janus')
  const folder = await mkdtemp(join(tmpdir(), 'porchlight-janus-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const address = outwardAddress()
  const port = await freePort()
  const udp = await freeUdpPort()
  const files = {
    'janus.jcfg': `general: { debug_level = 3 }
media: { rtp_port_range = "${Math.min(udp, 50_000)}-${Math.min(udp, 50_000) + 10_000}" }
nat: { ice_enforce_list = "${address}" }
plugins: { disable = "libjanus_audiobridge.so,libjanus_echotest.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,libjanus_voicemail.so,libjanus_lua.so,libjanus_duktape.so" }
transports: { disable = "libjanus_websockets.so,libjanus_rabbitmq.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so" }
`,
    'janus.transport.http.jcfg': `general: { base_path = "/janus", http = true, port = ${port}, ip = "127.0.0.1", https = false }
admin: { admin_http = false }
`,
    'janus.plugin.streaming.jcfg': `camera: { type = "rtsp", id = ${mountpoint}, audio = true, video = true, url = "${cameraUrl}" }
`,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const child = startChild(program, { args: ['--configs-folder', folder] })
  stack.use(child)
  const url = `http://127.0.0.1:${port}/janus`
  await until('the HTTP API of Janus', () => answers(`${url}/info`), startMs)
  return { url, address, pid: child.pid }
}

/** Janus never offers loopback. What is sent to another address of this machine does not leave it either. */
function outwardAddress(): string {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const found = own.find(({ family, internal }) => family === 'IPv4' && !internal)
  if (!found) throw new Error('Janus offers no loopback address, and this machine has no other IPv4 address')
  return found.address
}
