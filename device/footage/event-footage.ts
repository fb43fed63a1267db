import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import type { PrerollRing, Span } from '../preroll/ring.ts'
import { type FrameRange, FrameRanges } from './ranges.ts'

/**
 * What a session carried so lately may never have arrived, or not have been written yet, ms: longer than a break goes
 * unnoticed (6 s of silence, 8 s of a lost connection) and than the gateway takes to bring a group of pictures to its disk.
 */
const doubtMs = 20_000
/** So long an event waits for its session's first live frame before it is delivered from the ring, ms. */
const patienceMs = 10_000

export interface EventFootageOptions {
  ring: PrerollRing
  /** How far an event reaches back, ms. */
  prerollMs: number
  /** So long pictures are wanted after the last event's end, ms. */
  postrollMs: number
  /** Pictures already delivered or under way as footage. */
  taken: FrameRanges
  /** @param doubtful a session has carried them, and it is not known whether they arrived */
  deliver(span: Span, doubtful: boolean): void
  /** Device clock, ms since the Unix epoch. */
  now: () => number
}

/**
 * What of one camera's events goes to the gateway as footage: the pre-roll always, everything else only where no live
 * session carries it. It waits for the session's first live frame, so that the live picture goes first and no frame twice;
 * without a session it delivers group by group as they are made. What a session carried stays in the ring for a while: if
 * the session breaks, these pictures are delivered as doubtful ones.
 */
export class EventFootage {
  readonly #options: EventFootageOptions
  /** Wanted pictures that a session carried long enough ago: the gateway has recorded them. */
  readonly #settled = new FrameRanges()
  /** Wanted pictures that the session has carried of late. */
  #carried = new FrameRanges()
  /** What a session that broke carried of late, as far as it is not delivered yet. */
  #doubtful = new FrameRanges()
  /** Pictures that the session left out since the last keyframe. */
  #notSent = new FrameRanges()
  /** `waiting` since when, for a session that is being made. */
  #state: { is: 'none' } | { is: 'waiting'; since: number } | { is: 'live' } = { is: 'none' }
  /** Next picture to deliver while a job is open. */
  #cursor: number | undefined
  /** While pictures are wanted and a session lives: the gateway records what comes live from this picture on. */
  #recordedFrom: number | undefined
  #openEvents = 0
  #everything = false
  #endAt = Number.NEGATIVE_INFINITY

  constructor(options: EventFootageOptions) {
    this.#options = options
  }

  /** An event begins at `at` (device clock, ms). */
  begin(at: number): void {
    const { ring, prerollMs } = this.#options
    this.#openEvents += 1
    // Without a keyframe in the ring the job begins with whatever comes next.
    const from = ring.keyframeAt(at - prerollMs) ?? (ring.newestFrame ?? -1) + 1
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
    // A clock that was set back meanwhile makes no event longer.
    this.#endAt = Math.max(at, Math.min(this.#endAt, this.#options.now()))
  }

  /** Whether the camera is recorded all the time: as one event that does not end. */
  everything(on: boolean): void {
    if (on === this.#everything) return
    this.#everything = on
    if (on) this.begin(this.#options.now())
    else this.end(this.#options.now())
  }

  /** A session is being made: wait for its first frame. */
  sessionBegins(): void {
    if (this.#state.is === 'none') this.#state = { is: 'waiting', since: this.#options.now() }
  }

  /** The session carries pictures from this number on. */
  sessionLive(firstFrame: number): void {
    const { ring, now } = this.#options
    this.#state = { is: 'live' }
    if (this.#wanted(now())) {
      this.#recordedFrom = firstFrame
      this.#doubtful.remove(firstFrame, Number.POSITIVE_INFINITY)
      this.#carried.add(firstFrame, ring.newestFrame ?? firstFrame)
    }
    if (this.#cursor !== undefined) this.#deliver(this.#cursor, firstFrame - 1)
    this.#goOn(undefined)
  }

  /** The session is gone, or never came: what it carried of late is doubtful, and what follows is footage. */
  sessionEnded(): void {
    const { ring, now } = this.#options
    this.#state = { is: 'none' }
    this.#recordedFrom = undefined
    this.#doubt()
    const current = ring.currentGop().units[0]?.frame
    if (this.#wanted(now()) && current !== undefined) {
      this.#deliverDoubtful(current - 1)
      // The group that is being made follows when it is whole.
      this.#open(current)
    } else {
      this.#deliverDoubtful(Number.POSITIVE_INFINITY)
      // A group that outgrew the ring has emptied it: the job begins with whatever comes.
      if (this.#wanted(now())) this.#open((ring.newestFrame ?? -1) + 1)
    }
    this.#deliverGroups()
  }

  /** The session leaves pictures out (B-pictures, a narrow link): recordings get them as footage. */
  notSent(from: number, to: number): void {
    if (this.#state.is !== 'none') this.#notSent.add(from, to)
  }

  /** After the ring has taken it. */
  accessUnit(unit: AccessUnit): void {
    if (unit.keyframe) {
      // A clock that was set back makes no event longer.
      this.#endAt = Math.min(this.#endAt, this.#options.now())
      this.#deliverNotSent()
      this.#settle()
    }
    if (this.#recordedFrom !== undefined) this.#carry(unit)
    if (this.#cursor === undefined) return
    const { now } = this.#options
    if (this.#state.is === 'waiting' && now() - this.#state.since > patienceMs) this.#state = { is: 'none' }
    if (!unit.keyframe || this.#state.is === 'waiting') return
    this.#deliver(this.#cursor, unit.frame - 1)
    const live = this.#state.is === 'live'
    // Where a session lived before the event, the gateway records from the group on in which it heard of it.
    if (live && this.#wanted(unit.captureMs)) {
      this.#recordedFrom = unit.frame
      this.#carry(unit)
    }
    this.#goOn(live || !this.#wanted(unit.captureMs) ? undefined : unit.frame)
  }

  /** Delivers all that is wanted of the ring as it is: it is about to be emptied, or the program ends. */
  flush(): void {
    const newest = this.#options.ring.newestFrame
    this.#deliverNotSent()
    this.#doubt()
    this.#deliverDoubtful(Number.POSITIVE_INFINITY)
    if (this.#cursor === undefined || newest === undefined) return
    this.#deliver(this.#cursor, newest)
    this.#goOn(newest + 1)
  }

  #wanted(captureMs: number): boolean {
    return this.#openEvents > 0 || captureMs <= this.#endAt + this.#options.postrollMs
  }

  /** A picture that comes while the gateway records what the session carries. */
  #carry(unit: AccessUnit): void {
    if (this.#wanted(unit.captureMs)) {
      this.#carried.add(unit.frame, unit.frame)
      return
    }
    this.#deliverNotSent()
    this.#recordedFrom = undefined
  }

  /** What was carried long enough ago is settled; the rest stays in the ring. */
  #settle(): void {
    const { ring, now } = this.#options
    const from = ring.keyframeAt(now() - doubtMs) ?? 0
    for (const [low, high] of this.#carried.within(0, from - 1)) {
      this.#settled.add(low, high)
      this.#carried.remove(low, high)
    }
    this.#keep()
  }

  #doubt(): void {
    for (const [low, high] of this.#carried.ranges) this.#doubtful.add(low, high)
    this.#carried = new FrameRanges()
  }

  #open(from: number): void {
    this.#goOn(Math.min(this.#cursor ?? from, from))
  }

  /** The job goes on with this picture; undefined: there is none any more. */
  #goOn(cursor: number | undefined): void {
    this.#cursor = cursor
    this.#keep()
  }

  /** The ring keeps what has to be delivered, and what may have to be. */
  #keep(): void {
    const first = [this.#cursor, this.#carried.ranges[0]?.[0], this.#doubtful.ranges[0]?.[0]]
    const known = first.filter((frame) => frame !== undefined)
    this.#options.ring.keepFrom(known.length === 0 ? undefined : Math.min(...known))
  }

  /** Delivers the whole groups that are there; the one being made follows with the next keyframe. */
  #deliverGroups(): void {
    const current = this.#options.ring.currentGop().units[0]
    if (this.#cursor === undefined || current === undefined || current.frame <= this.#cursor) return
    this.#deliver(this.#cursor, current.frame - 1)
    this.#goOn(current.frame)
  }

  /** What of these pictures is not footage already, and is not carried by a session. */
  #deliver(from: number, to: number): void {
    for (const [first, last] of this.#settled.missing(from, to)) {
      for (const [low, high] of this.#carried.missing(first, last)) {
        this.#deliverSpans(this.#doubtful.missing(low, high), false)
        this.#deliverSpans(this.#doubtful.within(low, high), true)
      }
    }
    this.#doubtful.remove(from, to)
  }

  #deliverDoubtful(to: number): void {
    this.#deliverSpans(this.#doubtful.within(0, to), true)
    this.#doubtful.remove(0, to)
    this.#keep()
  }

  #deliverSpans(ranges: readonly FrameRange[], doubtful: boolean): void {
    const { ring, taken, deliver } = this.#options
    for (const [low, high] of ranges) {
      for (const [from, to] of taken.missing(low, high)) {
        const span = ring.range(from, to)
        if (span.units.length > 0) deliver(span, doubtful)
      }
    }
  }

  /** All that was left out of one group in one delivery. */
  #deliverNotSent(): void {
    const left = this.#notSent
    // The session that is being made begins with a group of which it may leave something out.
    if (left.ranges.length === 0 || this.#state.is === 'waiting') return
    this.#notSent = new FrameRanges()
    const first = this.#recordedFrom ?? Number.POSITIVE_INFINITY
    const { ring, taken, deliver } = this.#options
    const span = ring.pictures((frame) => frame >= first && left.has(frame) && !taken.has(frame))
    if (span.units.length > 0) deliver(span, false)
  }
}
