import { onTestFinished } from 'vitest'
import { FrameNumbering } from '../../device/camera/frame-numbering.ts'
import { RtspSource, type RtspSourceOptions } from '../../device/camera/rtsp-source.ts'
import { CameraCollector } from './camera-collector.ts'
import { quietLog } from './quiet-log.ts'
import { type Script, ScriptedCamera } from './scripted-camera.ts'

/** A scripted camera and our RTSP source on it, not opened yet; both end with the test. */
export async function dialCamera(script: Script, options: Partial<RtspSourceOptions> = {}) {
  const camera = await new ScriptedCamera(script).listen()
  const collector = new CameraCollector()
  const source = new RtspSource({
    url: camera.url,
    transport: 'tcp',
    backchannel: 'off',
    memory: {},
    listener: collector,
    numbering: new FrameNumbering(),
    now: Date.now,
    monotonic: () => performance.now(),
    random: () => 0.5,
    log: quietLog,
    ...options,
  })
  onTestFinished(async () => {
    await source.close()
    await camera.close()
  })
  const open = () => source.open(AbortSignal.timeout(30_000))
  return { camera, collector, source, open }
}
