import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type GoneReason, missingAnswer } from '@porchlight/proto/frames.ts'
import { type GatewayTarget, refusalOf, requestGateway } from './gateway-request.ts'
import type { FrameRange } from './ranges.ts'
import type { TokenBucket } from './token-bucket.ts'

/** Frames of one camera in one numbering (boot). */
export interface FramesOf {
  camera: string
  run: string
}

/**
 * Which of the frames `from` … `to` (inclusive) the gateway has not recorded. Undefined: it cannot say (an older one), so
 * that everything has to be delivered.
 * @throws PorchlightError the gateway's code, or `session_timeout` where it did not answer
 */
export async function askMissing(
  target: GatewayTarget,
  { camera, run }: FramesOf,
  [from, to]: FrameRange,
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<FrameRange[] | undefined> {
  const path = `/api/device/cameras/${camera}/frames?run=${run}&from=${from}&to=${to}`
  const answer = await requestGateway(target, { method: 'GET', path }, bucket, signal)
  if (answer.status === 404) return undefined
  if (answer.status !== 200) throw refusalOf(answer)
  const parsed = missingAnswer.safeParse(answer.json)
  if (parsed.success) return parsed.data.missing
  throw new PorchlightError('internal', 'the gateway gave an answer that names no frames')
}

/**
 * Tells that these frames will never come. An older gateway that does not know the question is content, too.
 * @throws PorchlightError as `askMissing`
 */
export async function tellGone(
  target: GatewayTarget,
  { camera, run }: FramesOf,
  gone: { ranges: readonly FrameRange[]; reason: GoneReason },
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<void> {
  const body = Buffer.from(JSON.stringify({ run, ...gone }))
  const headers = { 'content-type': 'application/json' }
  const path = `/api/device/cameras/${camera}/frames/gone`
  const answer = await requestGateway(target, { method: 'POST', path, headers, body }, bucket, signal)
  if (answer.status !== 204 && answer.status !== 404) throw refusalOf(answer)
}
