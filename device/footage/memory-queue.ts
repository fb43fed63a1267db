import type { Span } from '../preroll/ring.ts'
import type { WaitingSpan } from './waiting.ts'

/** Deliveries in memory, the oldest first. Bounded by who uses it: `overflow` says what has to go. */
export class MemoryQueue {
  readonly #maxBytes: number
  #spans: WaitingSpan[] = []
  /** Bytes waiting. */
  bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get spans(): readonly WaitingSpan[] {
    return this.#spans
  }

  /** So full that what can go to the disk should: the rest is room for what comes meanwhile. */
  get crowded(): boolean {
    return this.bytes > this.#maxBytes * 0.75
  }

  add(span: WaitingSpan): void {
    this.#spans.push(span)
    this.bytes += span.bytes
  }

  remove(span: WaitingSpan): void {
    const index = this.#spans.indexOf(span)
    if (index < 0) return
    this.#spans.splice(index, 1)
    this.bytes -= span.bytes
  }

  /** The oldest that may be dropped while there is more than there is room for. */
  overflow(underWay: object | undefined): WaitingSpan | undefined {
    if (this.bytes <= this.#maxBytes || this.#spans.length < 2) return undefined
    return this.#spans.find((span) => span !== underWay && !span.leaving)
  }

  /**
   * What goes into one file: the oldest that may leave, with what follows it of the same camera and format, about
   * `maxBytes`. One that the gateway may have a part of goes alone: its bytes must stay as they were.
   */
  batch(mayLeave: (span: WaitingSpan) => boolean, underWay: object | undefined, maxBytes: number): WaitingSpan[] {
    const first = this.#spans.find((span) => span !== underWay && !span.leaving && mayLeave(span))
    if (first === undefined) return []
    const batch = [first]
    let bytes = first.bytes
    for (const span of this.#spans.slice(this.#spans.indexOf(first) + 1)) {
      if (first.tried || span.camera !== first.camera || span === underWay || span.leaving) continue
      if (span.tried || bytes + span.bytes > maxBytes || !sameFormat(first.span, span.span)) break
      batch.push(span)
      bytes += span.bytes
    }
    return batch
  }
}

/** Several spans of one camera as one, in the order of the pictures. */
export function joinSpans(spans: readonly Span[]): Span {
  const units = spans.flatMap((span) => span.units).sort((one, other) => one.frame - other.frame)
  const audio = spans.flatMap((span) => span.audio).sort((one, other) => one.captureMs - other.captureMs)
  const { videoFormat } = spans[0]!
  return { videoFormat, audioFormat: spans.find((span) => span.audioFormat !== undefined)?.audioFormat, units, audio }
}

/** The formats stay the same objects until the camera says another one; single pictures come without sound. */
function sameFormat(one: Span, other: Span): boolean {
  const silent = one.audio.length === 0 || other.audio.length === 0
  return one.videoFormat === other.videoFormat && (silent || one.audioFormat === other.audioFormat)
}
