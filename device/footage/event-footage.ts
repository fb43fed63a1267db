import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import type { PrerollRing, Span } from '../preroll/ring.ts'
import { FrameRanges } from './ranges.ts'

/** What was sent in the last seconds of a session that broke may never have arrived, ms. */
const doubtMs = 15_000
/** So long an event waits for its session's first live frame before it is delivered from the ring, ms. */
const patienceMs = 10_000

export interface EventFootageOptions {
  ring: PrerollRing
  /** How far an event reaches back, ms. */
  prerollMs: number
  /** Pictures already delivered or under way as footage. */
  taken: FrameRanges
  deliver(span: Span): void
  /** Device clock, ms since the Unix epoch. */
  now: () => number
}

/**
 * What of one camera's events goes to the gateway as footage: the pre-roll always, everything else only where no live
 * session carries it. It waits for the session's first live frame, so that the live picture goes first and no frame twice;
 * without a session it delivers group by group as they are made.
 */
export class EventFootage {
  readonly #options: EventFootageOptions
  /** Pictures that a session carried while an event was open: the gateway has recorded them. */
  readonly #live = new FrameRanges()
  /** Pictures that the session left out since the last keyframe. */
  #notSent = new FrameRanges()
  /** `waiting` since when, for a session that is being made. */
  #state: { is: 'none' } | { is: 'waiting'; since: number } | { is: 'live' } = { is: 'none' }
  /** Next picture to deliver while a job is open. */
  #cursor: number | undefined
  /** While an event is open and a session lives: the gateway records what comes live from this picture on. */
  #recordedFrom: number | undefined
  #openEvents = 0
  #endAt = Number.NEGATIVE_INFINITY

  constructor(options: EventFootageOptions) {
    this.#options = options
  }

  /** An event begins at `at` (device clock, ms). */
  begin(at: number): void {
    const { ring, prerollMs } = this.#options
    this.#openEvents += 1
    const first = ring.since(at - prerollMs).units[0]
    // Without a keyframe in the ring the job begins with whatever comes next.
    const from = first?.frame ?? (ring.newestFrame ?? -1) + 1
    if (this.#recordedFrom !== undefined) {
      // Another event goes on: the gateway is recording already.
      this.#deliver(from, this.#recordedFrom - 1)
      return
    }
    this.#open(from)
    if (this.#state.is !== 'waiting') this.#deliverGroups()
  }

  /** The event that began is over (device clock, ms). */
  end(at: number): void {
    this.#openEvents = Math.max(0, this.#openEvents - 1)
    this.#endAt = Math.max(this.#endAt, at)
    if (this.#openEvents === 0) this.#settleLive()
  }

  /** A session is being made: wait for its first frame. */
  sessionBegins(): void {
    if (this.#state.is === 'none') this.#state = { is: 'waiting', since: this.#options.now() }
  }

  /** The session carries pictures from this number on. */
  sessionLive(firstFrame: number): void {
    this.#state = { is: 'live' }
    if (this.#openEvents > 0) this.#recordedFrom = firstFrame
    if (this.#cursor === undefined) return
    this.#deliver(this.#cursor, firstFrame - 1)
    this.#close()
  }

  /** The session is gone, or never came; what it carried last is delivered again where an event is open. */
  sessionEnded(): void {
    const { ring, now } = this.#options
    if (this.#state.is === 'live' && this.#openEvents > 0) {
      const doubtful = ring.since(now() - doubtMs).units[0]?.frame
      const from = Math.max(this.#recordedFrom ?? 0, doubtful ?? 0)
      if (this.#recordedFrom !== undefined) this.#live.add(this.#recordedFrom, from - 1)
      this.#recordedFrom = undefined
      this.#state = { is: 'none' }
      this.#open(from)
    } else {
      this.#state = { is: 'none' }
    }
    if (this.#cursor !== undefined) this.#deliverGroups()
  }

  /** The session leaves pictures out (B-pictures, a narrow link): recordings get them as footage. */
  notSent(from: number, to: number): void {
    if (this.#recordedFrom !== undefined) this.#notSent.add(from, to)
  }

  /** After the ring has taken it. */
  accessUnit(unit: AccessUnit): void {
    if (unit.keyframe) this.#deliverNotSent()
    if (this.#cursor === undefined) return
    const { now } = this.#options
    if (this.#state.is === 'waiting' && now() - this.#state.since > patienceMs) this.#state = { is: 'none' }
    if (!unit.keyframe || this.#state.is === 'waiting') return
    this.#deliver(this.#cursor, unit.frame - 1)
    this.#cursor = unit.frame
    const live = this.#state.is === 'live'
    // Where a session lived before the event, the gateway records from the group on in which it heard of it.
    if (live && this.#openEvents > 0) this.#recordedFrom = unit.frame
    if (live || (this.#openEvents === 0 && unit.captureMs > this.#endAt)) this.#close()
    else this.#options.ring.keepFrom(this.#cursor)
  }

  #open(from: number): void {
    this.#cursor = Math.min(this.#cursor ?? from, from)
    this.#options.ring.keepFrom(this.#cursor)
  }

  #close(): void {
    this.#cursor = undefined
    this.#options.ring.keepFrom(undefined)
  }

  /** Delivers the whole groups that are there; the one being made follows with the next keyframe. */
  #deliverGroups(): void {
    const current = this.#options.ring.currentGop().units[0]
    if (this.#cursor === undefined || current === undefined || current.frame <= this.#cursor) return
    this.#deliver(this.#cursor, current.frame - 1)
    this.#cursor = current.frame
  }

  #deliver(from: number, to: number): void {
    const { ring, taken, deliver } = this.#options
    for (const [low, high] of taken.missing(from, to)) {
      for (const [start, end] of this.#live.missing(low, high)) {
        const span = ring.range(start, end)
        if (span.units.length > 0) deliver(span)
      }
    }
  }

  /** All that was left out of one group in one delivery. */
  #deliverNotSent(): void {
    const left = this.#notSent
    if (left.ranges.length === 0) return
    this.#notSent = new FrameRanges()
    const { ring, taken, deliver } = this.#options
    const span = ring.pictures((frame) => left.has(frame) && !taken.has(frame))
    if (span.units.length > 0) deliver(span)
  }

  #settleLive(): void {
    this.#deliverNotSent()
    const newest = this.#options.ring.newestFrame
    if (this.#recordedFrom !== undefined && newest !== undefined) this.#live.add(this.#recordedFrom, newest)
    this.#recordedFrom = undefined
  }
}
