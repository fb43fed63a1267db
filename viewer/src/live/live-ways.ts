import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'

/** How a picture comes: by WebRTC, or (slower, and without talk) as a stream of MP4 fragments. */
export type LiveWay = 'webrtc' | 'stream'

export const wayLimits = {
  /** WebRTC sessions in a row that no packet came through, before the other way is taken. */
  blocked: 2,
  /** After this, networks may have changed: WebRTC is tried anew, ms. */
  forgetMs: 10 * 60_000,
}

/** What says that a way will not do for a camera in this browser. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'codec_unsupported',
  'sdp_invalid',
  'sdp_mismatch',
  'webrtc_unavailable',
])

/** Remembers which way does for which camera: WebRTC wherever it works. */
export class LiveWays {
  readonly #now: () => number
  readonly #refused = new Map<string, ReadonlySet<LiveWay>>()
  #blocked = 0
  #blockedAt = 0

  /** @param now ms */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The way to try next; undefined where none is left. */
  choose(camera: string): LiveWay | undefined {
    const refused = this.#refused.get(camera)
    const ways = (['webrtc', 'stream'] as const).filter((way) => !refused?.has(way))
    const blocked = this.#blocked >= wayLimits.blocked && this.#now() - this.#blockedAt < wayLimits.forgetMs
    return blocked && ways.includes('stream') ? 'stream' : ways[0]
  }

  /** A way failed. @returns whether it will not do at all: then another is to be chosen at once */
  failed(camera: string, way: LiveWay, error: unknown): boolean {
    if (!(error instanceof PorchlightError) || !refusals.has(error.code)) return false
    this.#refused.set(camera, new Set([...(this.#refused.get(camera) ?? []), way]))
    return true
  }

  /** No way is left for a camera. Should it be asked for again, its settings may have changed. */
  forget(camera: string): void {
    this.#refused.delete(camera)
  }

  /** A WebRTC session was made, and nothing came through. */
  blocked(): void {
    if (this.#now() - this.#blockedAt >= wayLimits.forgetMs) this.#blocked = 0
    this.#blocked += 1
    this.#blockedAt = this.#now()
  }

  /** WebRTC came through, or the network is another. */
  unblocked(): void {
    this.#blocked = 0
  }
}
