import { PorchlightError } from '@porchlight/proto/errors.ts'
import { z } from 'zod'
import { type GatewayAnswer, type GatewayTarget, refusalOf, requestGateway } from './gateway-request.ts'
import type { TokenBucket } from './token-bucket.ts'

const okAnswer = z.object({ offset: z.number().int().nonnegative(), complete: z.boolean().optional() })
const offsetAnswer = z.object({ code: z.string(), offset: z.number().int().nonnegative() })

/** What the gateway has of a delivery. */
export interface DeliveryState {
  /** Bytes. */
  offset: number
  complete: boolean
}

export interface DeliveryTarget extends GatewayTarget {
  camera: string
  /** Id of the delivery, chosen by us. */
  id: string
}

/** Adds one piece to a delivery. @throws PorchlightError the gateway's code, or `session_timeout` where it did not answer */
export async function putFootage(
  target: DeliveryTarget,
  piece: { offset: number; bytes: Uint8Array; last: boolean },
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<DeliveryState> {
  const end = piece.offset + piece.bytes.byteLength
  const range = `bytes ${piece.offset}-${end - 1}/${piece.last ? end : '*'}`
  const headers = { 'content-type': 'application/octet-stream', 'content-range': range }
  const request = { method: 'PUT', path: pathOf(target), headers, body: piece.bytes } as const
  const answer = readAnswer(await requestGateway(target, request, bucket, signal))
  return { offset: answer.offset, complete: piece.last && answer.offset === end }
}

/** Asks how far a delivery has come; a gateway that does not know it has nothing. @throws PorchlightError as `putFootage` */
export async function askFootage(
  target: DeliveryTarget,
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<DeliveryState> {
  const answer = await requestGateway(target, { method: 'GET', path: pathOf(target) }, bucket, signal)
  if (answer.status === 404) return { offset: 0, complete: false }
  const { offset, complete = false } = readAnswer(answer)
  return { offset, complete }
}

const pathOf = ({ camera, id }: DeliveryTarget) => `/api/device/cameras/${camera}/footage/${id}`

function readAnswer(answer: GatewayAnswer): z.infer<typeof okAnswer> {
  if (answer.status === 200) {
    const ok = okAnswer.safeParse(answer.json)
    if (ok.success) return ok.data
    throw new PorchlightError('internal', 'the gateway gave an answer that is no delivery state')
  }
  // 409 footage_offset: the gateway says where to go on.
  const elsewhere = answer.status === 409 ? offsetAnswer.safeParse(answer.json) : undefined
  if (elsewhere?.success) return { offset: elsewhere.data.offset }
  throw refusalOf(answer)
}
