import { randomUUID } from 'node:crypto'
import type { Span } from '../preroll/ring.ts'
import { type BodyReader, FootageBody, spanBytes, spanOf } from './footage-body.ts'
import { type FrameRange, type FrameRanges, rangesOf } from './ranges.ts'

/** What a delivery holds and the body of it. */
export interface OpenedDelivery extends AsyncDisposable {
  ranges: readonly FrameRange[]
  /** False where a part of it is damaged: the rest is another body than the whole was. */
  whole: boolean
  /** The bytes of all of it, or only of these frames. @throws PorchlightError `spool_unreadable` */
  body(only?: FrameRanges): Promise<BodyReader>
}

/** A delivery that waits for its turn, in memory or on the disk. */
export interface Waiting {
  /** Its id at the gateway. */
  readonly id: string
  readonly camera: string
  /** Numbering of its frames. */
  readonly run: string
  readonly bytes: number
  /** When its footage was made, on the monotonic clock, ms; before the start of the program it is negative. */
  readonly bornMs: number
  /** The gateway may have some of the frames by another way: it is asked first. */
  readonly doubtful: boolean
  /** The gateway may have a part of these very bytes. */
  tried: boolean
  /** @throws PorchlightError `spool_unreadable` */
  open(): Promise<OpenedDelivery>
}

/** A delivery in memory: it refers to the frames and copies nothing. */
export class WaitingSpan implements Waiting {
  readonly id = randomUUID()
  readonly camera: string
  readonly run: string
  readonly span: Span
  readonly bytes: number
  readonly ranges: readonly FrameRange[]
  readonly bornMs: number
  readonly doubtful: boolean
  tried = false
  /** It is being written to the disk. */
  leaving = false

  constructor(of: { camera: string; run: string; span: Span; bornMs: number; doubtful: boolean }) {
    this.camera = of.camera
    this.run = of.run
    this.span = of.span
    this.bornMs = of.bornMs
    this.doubtful = of.doubtful
    this.bytes = spanBytes(of.span)
    this.ranges = rangesOf(of.span.units)
  }

  async open(): Promise<OpenedDelivery> {
    const { run, span, ranges } = this
    return {
      ranges,
      whole: true,
      body: async (only) => new FootageBody(run, only === undefined ? span : spanOf(span, only)),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
}
