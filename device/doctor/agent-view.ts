import { errors, isErrorCode } from '@porchlight/proto/errors.ts'
import type { CameraState } from '@porchlight/proto/messages/cameras.ts'
import type { EngineName } from '../config.ts'
import { bad, type Finding, good } from './check.ts'

/** What these judgements need of an agent's `/health`. */
export interface AgentView {
  online: boolean
  error?: string
  /** The WebRTC library that serves. */
  engine: string
  /** Footage that waits on the disk. */
  spool?: { bytes: number; files: number; error?: string }
  cameras: (CameraState & { session?: { live: boolean; ended?: string } })[]
}

const adviceOf = (code: string): string => (isErrorCode(code) ? errors[code].sentence : 'See the log of the agent.')

/** The broker, as the agent's link sees it. */
export function judgeLink(view: AgentView, broker: string): Finding {
  if (view.online) return good(`${broker} takes this device`)
  const code = view.error ?? 'broker_unreachable'
  return bad(`${broker}: ${code}`, `${adviceOf(code)} Enrol again if the address or the credential is wrong.`)
}

/** The WebRTC library. @param wanted `media.engine` */
export function judgeEngine({ engine }: AgentView, wanted: EngineName): Finding {
  if (engine === 'werift' && wanted === 'auto') {
    return good("werift, because node-datachannel's binary does not load on this machine (the log says why)")
  }
  return good(engine)
}

/** Whether footage can wait on the disk while the gateway is away. */
export function judgeSpool({ spool }: AgentView): Finding {
  if (spool === undefined) return good('switched off: footage waits in memory only')
  if (spool.error !== undefined) return bad(spool.error, adviceOf(spool.error))
  const megabytes = Math.round(spool.bytes / 1e6)
  return good(spool.files === 0 ? 'nothing waits' : `${spool.files} deliveries wait for the gateway, ${megabytes} MB`)
}

/** The stream of a camera, its codecs, and what is limited. */
export function judgeCamera(camera: CameraState): Finding[] {
  if (camera.state !== 'live') {
    const code = camera.error ?? 'camera_timeout'
    return [bad(`${camera.camera}: ${code}`, adviceOf(code))]
  }
  const { video, audio, talk } = camera
  const findings: Finding[] = [good(`${camera.camera}: live`)]
  if (video === undefined) {
    findings.push(bad(`${camera.camera}: no keyframe yet`, 'Set a keyframe interval of 2 to 4 s in the camera.'))
  } else {
    const size = `${video.codec} ${video.width}×${video.height}`
    const sound = audio === undefined ? 'no sound' : audio
    const text = `${camera.camera}: ${size}, ${sound}, ${talk === undefined ? 'nobody can talk' : `talk in ${talk}`}`
    findings.push(
      video.codec === 'h265' ? bad(text, 'Many browsers cannot show H.265: set the camera to H.264.') : good(text),
    )
  }
  for (const note of camera.notes) findings.push(bad(`${camera.camera}: ${note}`, adviceOf(note)))
  return findings
}

/** The way of the media: only a real session shows that UDP gets through. */
export function judgeMedia(view: AgentView): Finding {
  const tried = view.cameras.filter((camera) => camera.session !== undefined)
  const live = tried.find((camera) => camera.session?.live)
  if (live !== undefined) return good(`a session of ${live.camera} carried its picture to the gateway`)
  const failed = tried.find((camera) => camera.session?.ended !== undefined)
  if (failed === undefined) return bad('not tried', 'Needs a live camera and the broker.')
  const code = failed.session?.ended ?? ''
  const advice =
    code === 'session_timeout'
      ? 'No UDP path: let UDP to the media port of the gateway (4880) through, or give the gateway a TURN server (turn.urls).'
      : adviceOf(code)
  return bad(`the session of ${failed.camera} ended: ${code}`, advice)
}
