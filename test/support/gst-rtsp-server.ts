import { spawnSync } from 'node:child_process'
import { startChild } from './child.ts'

const python = '/usr/bin/python3'
const probe = 'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer'

/** Why GStreamer's RTSP server cannot be used here; undefined where it can. Plugins: x264enc of plugins-ugly. */
export function gstRtspServerMissing(): string | undefined {
  const binding = spawnSync(python, ['-c', probe], { encoding: 'utf8' })
  if (binding.status !== 0) {
    return 'no GStreamer RTSP server: apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-ugly'
  }
  return undefined
}

/** Starts the server with the options of `gst-rtsp-server.py`. */
export async function startGstRtspServer(
  args: readonly string[],
  atEnd: (cleanUp: () => Promise<void>) => void,
): Promise<{ url: string; stop(): Promise<unknown> }> {
  const script = new URL('./gst-rtsp-server.py', import.meta.url).pathname
  const child = startChild(python, { args: [script, ...args] })
  atEnd(async () => {
    await child.stop()
  })
  const port = /\d+/.exec(await child.line(/^port \d+/))![0]
  return { url: `rtsp://127.0.0.1:${port}/live`, stop: () => child.kill() }
}
