import { sentenceOfCode } from '../api/request.ts'
import { offSentence } from '../state/camera-status.ts'
import { ago } from '../state/time.ts'
import type { LiveStatus } from './live-supervisor.ts'

/**
 * What a person reads over a picture that is not live, in two lines; undefined where it is live.
 * @param lastPictureAt ms since the Unix epoch, where one is known
 * @param now ms since the Unix epoch
 */
export function liveSentence(
  status: LiveStatus,
  lastPictureAt: number | undefined,
  now: number,
): { title: string; detail: string | undefined } | undefined {
  const age = lastPictureAt === undefined ? undefined : `Last picture ${ago(now - lastPictureAt)}`
  const why = status.error === undefined ? undefined : sentenceOfCode(status.error)
  const wait = status.retryAt === undefined ? undefined : Math.ceil((status.retryAt - now) / 1_000)
  switch (status.state) {
    case 'live':
      return undefined
    case 'connecting':
      return { title: 'Connecting…', detail: undefined }
    case 'reconnecting':
      return { title: again(status, wait), detail: join(why, age) }
    case 'offline':
      return { title: 'Camera offline', detail: age ?? 'No picture has come yet.' }
    case 'off':
      return { title: 'Camera is off', detail: offSentence }
    case 'failed':
      return { title: 'No live picture', detail: join(why, age) }
  }
}

function again({ error }: LiveStatus, waitS: number | undefined): string {
  if (waitS !== undefined && waitS > 0) return `Trying again in ${waitS} s`
  // The connection stands: what arrives is not shown yet.
  return waitS === undefined && error === 'picture_frozen' ? 'Waiting for the picture…' : 'Connecting again…'
}

function join(...parts: (string | undefined)[]): string | undefined {
  return parts.filter((part) => part !== undefined).join(' ') || undefined
}
