import { createHash } from 'node:crypto'
import { asPorchlightError } from '@porchlight/proto/errors.ts'
import { askFootage, putFootage } from './delivery.ts'
import { askMissing } from './frame-answers.ts'
import type { GatewayTarget } from './gateway-request.ts'
import { commonRanges, countFrames, type FrameRange, FrameRanges } from './ranges.ts'
import type { TokenBucket } from './token-bucket.ts'
import type { OpenedDelivery, Waiting } from './waiting.ts'

/** One PUT carries at most this, bytes: what a lost connection costs. */
const chunkBytes = 512 * 1024
/** What waited so long may have come another way meanwhile (a live session, a gateway that was restarted), ms. */
const askAfterMs = 30_000
/** So often one try may go back, or stand still. */
const mostBack = 1

export interface SenderOptions {
  target: GatewayTarget
  bucket: TokenBucket
  monotonic: () => number
}

/** What came of a delivery. */
export interface Sent {
  /** Bytes that went out. */
  bytes: number
  /** Frames that the gateway had already. */
  known: number
}

/** Which bytes go out, and under which id. */
interface Plan {
  id: string
  offset: number
  only: FrameRanges | undefined
}

/** Brings single deliveries to the gateway: what is doubtful is asked for first, and what broke off goes on where it was. */
export class Sender {
  readonly #options: SenderOptions

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** One try. @throws PorchlightError the gateway's code, `session_timeout`, `spool_unreadable` */
  async send(waiting: Waiting, delivery: OpenedDelivery, signal: AbortSignal): Promise<Sent> {
    const { target, bucket } = this.#options
    const plan = await this.#plan(waiting, delivery, signal)
    const wanted = plan?.only?.ranges ?? (plan === undefined ? [] : delivery.ranges)
    const sent: Sent = { bytes: 0, known: countFrames(delivery.ranges) - countFrames(wanted) }
    if (plan === undefined) return sent
    const body = await delivery.body(plan.only)
    const to = { ...target, camera: waiting.camera, id: plan.id }
    let { offset } = plan
    for (let back = 0; back <= mostBack; ) {
      let piece = await body.read(offset, chunkBytes)
      if (piece === undefined) {
        // It has all of it and did not get to recording it: the last byte once more has it do so.
        offset = Math.max(0, offset - 1)
        back += 1
        piece = await body.read(offset, 1)
        if (piece === undefined) break
      }
      const state = await putFootage(to, { offset, ...piece }, bucket, signal)
      sent.bytes += piece.bytes.byteLength
      if (state.complete) return sent
      if (state.offset <= offset) back += 1
      offset = state.offset
    }
    throw asPorchlightError(new Error('the gateway does not go on with it'), 'session_timeout')
  }

  /** Undefined where the gateway has all of it. */
  async #plan(waiting: Waiting, delivery: OpenedDelivery, signal: AbortSignal): Promise<Plan | undefined> {
    const { id, doubtful, tried, bornMs } = waiting
    const all = delivery.whole ? { id, only: undefined } : partOf(id, delivery.ranges)
    if (tried) {
      const begun = await this.#begun(waiting, all, signal)
      // What it has a part of goes on as it was.
      if (begun === undefined || begun.offset > 0) return begun
    }
    waiting.tried = true
    if (!tried && !doubtful && this.#options.monotonic() - bornMs <= askAfterMs) return { ...all, offset: 0 }
    const missing = await this.#missing(waiting, delivery.ranges, signal)
    if (missing.length === 0) return undefined
    if (countFrames(missing) === countFrames(delivery.ranges)) return { ...all, offset: 0 }
    return this.#begun(waiting, partOf(id, missing), signal)
  }

  async #begun({ camera }: Waiting, part: Omit<Plan, 'offset'>, signal: AbortSignal): Promise<Plan | undefined> {
    const { target, bucket } = this.#options
    const state = await askFootage({ ...target, camera, id: part.id }, bucket, signal)
    return state.complete ? undefined : { ...part, offset: state.offset }
  }

  async #missing(of: Waiting, ranges: readonly FrameRange[], signal: AbortSignal): Promise<readonly FrameRange[]> {
    const { target, bucket } = this.#options
    const from = Math.min(...ranges.map(([low]) => low))
    const to = Math.max(...ranges.map(([, high]) => high))
    const missing = await askMissing(target, of, [from, to], bucket, signal)
    return missing === undefined ? ranges : commonRanges(ranges, FrameRanges.of(missing).ranges)
  }
}

/** Other bytes than the whole have another id; the same part always has the same, also after a restart. */
function partOf(id: string, frames: readonly FrameRange[]): Omit<Plan, 'offset'> {
  const hash = createHash('sha256').update(JSON.stringify([id, frames]))
  return { id: hash.digest('base64url').slice(0, 32), only: FrameRanges.of(frames) }
}
