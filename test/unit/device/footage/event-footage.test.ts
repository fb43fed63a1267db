import { beforeEach, describe, expect, it } from 'vitest'
import { EventFootage } from '../../../../device/footage/event-footage.ts'
import { type FrameRange, FrameRanges, rangesOf } from '../../../../device/footage/ranges.ts'
import { PrerollRing } from '../../../../device/preroll/ring.ts'
import { pictures } from '../frames.ts'

const startMs = 1_000_000
/** Ten pictures. */
const postrollMs = 400
const at = (frame: number) => startMs + frame * 40

/** One camera with groups of 25 pictures; what is delivered counts as taken, as the uploader has it. */
class Bench {
  readonly ring = new PrerollRing({ seconds: 10, maxBytes: 1 << 24 })
  readonly taken = new FrameRanges()
  readonly delivered: FrameRange[] = []
  /** Those of them that a session had carried before. */
  readonly doubtful: FrameRange[] = []
  frame = 0
  /** The clock is set back by so much, ms. */
  back = 0
  readonly footage = new EventFootage({
    ring: this.ring,
    prerollMs: 4_000,
    postrollMs,
    taken: this.taken,
    now: () => at(this.frame) - this.back,
    deliver: (span, doubtful) => {
      for (const [from, to] of rangesOf(span.units)) {
        // never twice
        expect(this.taken.missing(from, to)).toEqual([[from, to]])
        this.taken.add(from, to)
        const list = doubtful ? this.doubtful : this.delivered
        list.push([from, to])
      }
    },
  })

  /** Time goes on to just before picture `frame`. */
  until(frame: number): void {
    for (const unit of pictures({ from: this.frame, count: frame - this.frame, startMs: startMs - this.back })) {
      this.frame = unit.frame
      if (this.ring.stepsBack(unit)) this.footage.flush()
      this.ring.accessUnit(unit)
      this.footage.accessUnit(unit)
    }
    this.frame = frame
  }

  begin(): void {
    this.footage.begin(at(this.frame - 1))
  }

  end(): void {
    this.footage.end(at(this.frame - 1))
  }
}

let bench: Bench

/** An event whose session carries the pictures from 300 on, up to before `frame`. */
function live(frame: number): void {
  bench.footage.sessionBegins()
  bench.begin()
  bench.footage.sessionLive(300)
  bench.until(frame)
}

beforeEach(() => {
  bench = new Bench()
  bench.until(310)
})

describe('EventFootage', () => {
  it('delivers what a session leaves out of the group that it begins with', () => {
    bench.footage.sessionBegins()
    bench.begin()
    bench.footage.notSent(301, 301)
    bench.footage.notSent(303, 303)
    bench.footage.sessionLive(300)
    bench.until(340)
    expect(bench.delivered).toEqual([
      [200, 299],
      [301, 301],
      [303, 303],
    ])
  })

  it('goes on after a session that ends while the ring is empty', () => {
    live(340)
    bench.ring.clear()
    bench.footage.sessionEnded()
    bench.until(400)
    expect(bench.delivered.at(-1)).toEqual([350, 374])
  })

  it('lets a clock that is set back make no event longer', () => {
    bench.begin()
    bench.until(400)
    bench.end()
    bench.back = 3_600_000
    bench.until(900)
    expect(bench.delivered.at(-1)![1]).toBeLessThan(450)
  })

  it('waits for the first live frame, then delivers the pre-roll up to it', () => {
    bench.footage.sessionBegins()
    bench.begin()
    bench.until(340)
    expect(bench.delivered).toEqual([])
    bench.footage.sessionLive(325)
    // keyframe at or before 4 s ahead of frame 309
    expect(bench.delivered).toEqual([[200, 324]])
    bench.until(600)
    bench.end()
    bench.until(700)
    expect(bench.delivered).toEqual([[200, 324]])
  })

  it('keeps the pre-roll in the ring while it waits', () => {
    bench.footage.sessionBegins()
    bench.begin()
    bench.until(540)
    expect(bench.ring.oldestFrame).toBeLessThanOrEqual(200)
    bench.footage.sessionLive(525)
    expect(bench.delivered).toEqual([[200, 524]])
    // what is carried live is kept for 20 s
    bench.until(1_500)
    expect(bench.ring.oldestFrame).toBe(975)
  })

  it('delivers the whole event group by group where no session comes', () => {
    bench.footage.sessionBegins()
    bench.begin()
    bench.until(330)
    bench.footage.sessionEnded()
    bench.until(420)
    bench.end()
    bench.until(600)
    expect(bench.taken.ranges).toEqual([[200, 449]])
  })

  it('loses patience with a session that neither comes nor fails', () => {
    bench.footage.sessionBegins()
    bench.begin()
    bench.until(310 + 300)
    expect(bench.taken.ranges).toEqual([[200, 599]])
    bench.footage.sessionLive(600)
    bench.until(700)
    expect(bench.taken.ranges).toEqual([[200, 599]])
  })

  it('without a session at all delivers at once, and stops where a later one takes over', () => {
    bench.begin()
    expect(bench.delivered).toEqual([[200, 299]])
    bench.until(360)
    bench.footage.sessionBegins()
    bench.until(370)
    bench.footage.sessionLive(350)
    bench.until(500)
    expect(bench.taken.ranges).toEqual([[200, 349]])
  })

  it('in a session that lives already delivers up to the group after the begin', () => {
    bench.footage.sessionBegins()
    bench.footage.sessionLive(0)
    bench.begin()
    bench.until(500)
    expect(bench.taken.ranges).toEqual([[200, 324]])
  })

  it('does not deliver what an earlier event has had live or as footage', () => {
    bench.footage.sessionBegins()
    bench.begin()
    bench.footage.sessionLive(300)
    bench.until(360)
    bench.begin() // a ring within the motion: its pre-roll reaches back to 250
    bench.until(420)
    bench.end()
    bench.end()
    bench.until(470)
    bench.begin() // and a third, after both: 350 … 429 came live
    bench.until(600)
    expect(bench.taken.ranges).toEqual([
      [200, 299],
      [430, 474],
    ])
  })

  it('doubts what the session carried of late when it breaks within an event, and goes on group by group', () => {
    live(1_003)
    bench.footage.sessionEnded()
    // 20 s are 500 pictures; the group that is being made comes when it is whole
    expect(bench.doubtful).toEqual([[500, 999]])
    bench.until(1_060)
    bench.end()
    bench.until(1_200)
    expect(bench.doubtful).toEqual([
      [500, 999],
      [1_000, 1_002],
    ])
    expect(bench.taken.ranges).toEqual([
      [200, 299],
      [500, 1_074],
    ])
  })

  it('doubts the end of an event, too, where the break comes after it', () => {
    live(500)
    bench.end()
    bench.until(700)
    bench.footage.sessionEnded()
    // to the end of the post-roll, and no further
    expect(bench.doubtful).toEqual([[300, 509]])
    bench.until(1_100)
    expect(bench.taken.ranges).toEqual([[200, 509]])
  })

  it('doubts nothing that was carried long ago, and lets the ring go', () => {
    live(500)
    bench.end()
    bench.until(1_100)
    expect(bench.ring.oldestFrame).toBeGreaterThan(800)
    bench.footage.sessionEnded()
    bench.until(1_200)
    expect(bench.doubtful).toEqual([])
    expect(bench.taken.ranges).toEqual([[200, 299]])
  })

  it('a session that breaks soon after another keeps the doubt of both', () => {
    live(510)
    bench.footage.sessionEnded()
    bench.footage.sessionBegins()
    bench.until(530)
    bench.footage.sessionLive(525)
    bench.until(540)
    bench.footage.sessionEnded()
    bench.until(560)
    expect(bench.doubtful).toEqual([
      [300, 499],
      [500, 509],
      [525, 539],
    ])
    expect(bench.delivered).toEqual([
      [200, 299],
      [510, 524],
      [540, 549],
    ])
  })

  it('delivers all that is wanted when the program ends, or the ring is emptied', () => {
    live(510)
    bench.footage.flush()
    expect(bench.doubtful).toEqual([[300, 509]])
    const away = new Bench()
    away.until(310)
    away.begin()
    away.until(333)
    away.footage.flush()
    expect(away.taken.ranges).toEqual([[200, 332]])
  })

  it('records everything: from the pre-roll on without a session, and from the break on with one', () => {
    bench.footage.everything(true)
    bench.footage.everything(true)
    bench.until(400)
    expect(bench.taken.ranges).toEqual([[200, 374]])
    bench.footage.sessionBegins()
    bench.footage.sessionLive(390)
    bench.begin()
    bench.until(1_000)
    bench.end()
    expect(bench.taken.ranges).toEqual([[200, 389]])
    bench.footage.sessionEnded()
    bench.until(1_100)
    expect(bench.taken.ranges).toEqual([
      [200, 389],
      [475, 1_074],
    ])
    bench.footage.everything(false)
    bench.until(1_300)
    expect(bench.taken.ranges.at(-1)).toEqual([475, 1_124])
  })

  it('delivers the pictures that a session left out, one delivery a group, while an event is open', () => {
    bench.footage.sessionBegins()
    bench.begin()
    bench.footage.sessionLive(300)
    for (const frame of [311, 313, 315]) {
      bench.until(frame + 1)
      bench.footage.notSent(frame, frame)
    }
    expect(bench.delivered).toHaveLength(1)
    bench.until(330)
    expect(bench.delivered.slice(1)).toEqual([
      [311, 311],
      [313, 313],
      [315, 315],
    ])
    bench.end()
    bench.until(345)
    bench.footage.notSent(344, 344)
    bench.until(400)
    expect(bench.delivered).toHaveLength(4)
  })

  it('begins with the first keyframe where the ring is empty', () => {
    const fresh = new Bench()
    fresh.footage.begin(startMs)
    fresh.until(40)
    fresh.end()
    fresh.until(80)
    expect(fresh.taken.ranges).toEqual([[0, 49]])
  })
})
