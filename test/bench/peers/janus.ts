import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '../../support/child.ts'
import { findProgram } from '../../support/find-program.ts'
import { freePort, freeUdpPort } from '../../support/ports.ts'

/** The one mountpoint. */
export const mountpoint = 1

export interface Janus {
  /** Of its HTTP API. */
  url: string
  pid: number
}

/** Whether it can be run here (`apt install janus`). */
export function hasJanus(): boolean {
  try {
    return findProgram('JANUS_PATH', 'janus') !== ''
  } catch {
    return false
  }
}

/** A Janus that takes a camera in by RTSP and gives it to who watches {@link mountpoint}. */
export async function startJanus(stack: AsyncDisposableStack, cameraUrl: string): Promise<Janus> {
  const folder = await mkdtemp(join(tmpdir(), 'porchlight-janus-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  const udp = await freeUdpPort()
  const files = {
    'janus.jcfg': `general: { debug_level = 3 }
media: { rtp_port_range = "${Math.min(udp, 50_000)}-${Math.min(udp, 50_000) + 10_000}" }
nat: { ice_enforce_list = "127.0.0.1", ice_ignore_list = "vmnet" }
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
  const child = startChild(findProgram('JANUS_PATH', 'janus'), { args: ['--configs-folder', folder] })
  stack.use(child)
  await child.line(/HTTP webserver started/)
  return { url: `http://127.0.0.1:${port}/janus`, pid: child.pid }
}
