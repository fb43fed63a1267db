import type { CameraNotice } from '@porchlight/proto/messages/notice.ts'
import { sentenceOfCode } from '../api/request.ts'
import { ago } from './time.ts'

export type CameraStateShown = 'live' | 'connecting' | 'offline' | 'off' | 'failed' | 'unknown'

export interface CameraStatus {
  state: CameraStateShown
  label: string
  /** What to do, or how old the last picture is. */
  detail: string | undefined
}

type Facts = Pick<CameraNotice, 'online' | 'state' | 'error' | 'lastPictureAt' | 'recordingMode'>

/** What it means that a camera is off. */
export const offSentence = 'Nobody sees it, and nothing is recorded. A ring still rings.'

/**
 * What the list says of a camera. Without contact to the gateway nothing is known, whatever was heard before.
 * @param now ms since the Unix epoch
 */
export function cameraStatus(camera: Facts, now: number, contact: boolean): CameraStatus {
  const age = camera.lastPictureAt === null ? undefined : `Last picture ${ago(now - camera.lastPictureAt)}`
  if (!contact) return { state: 'unknown', label: 'No contact', detail: age }
  if (camera.recordingMode === 'off') return { state: 'off', label: 'Off', detail: offSentence }
  if (!camera.online) return { state: 'offline', label: 'Offline', detail: age ?? 'No picture yet' }
  if (camera.state === 'live') return { state: 'live', label: 'Live', detail: undefined }
  const why = camera.error === undefined ? undefined : sentenceOfCode(camera.error)
  if (camera.state === 'failed') return { state: 'failed', label: 'Not working', detail: why ?? age }
  return { state: 'connecting', label: 'Connecting', detail: why ?? age }
}
