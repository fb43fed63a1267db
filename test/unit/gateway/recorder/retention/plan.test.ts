import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventFacts, FileFacts, RetentionFacts } from '../../../../../gateway/recorder/retention/facts.ts'
import type { CameraLimits, RetentionLimits } from '../../../../../gateway/recorder/retention/limits.ts'
import { planRetention } from '../../../../../gateway/recorder/retention/plan.ts'

const day = 86_400_000
const minute = 60_000
const now = 1_800_000_000_000
const mb = 1e6
const none = Number.POSITIVE_INFINITY
const camera = 'door.front'

const keepMs = { ring: 60 * day, motion: 14 * day, continuous: 3 * day }
const noBytes = { ring: none, motion: none, continuous: none }

function limits(of: Partial<CameraLimits> & { all?: number; reserve?: number } = {}): RetentionLimits {
  const { all = none, reserve = 0, ...more } = of
  return {
    camera: () => ({ keepMs, classBytes: noBytes, bytes: none, ...more }),
    bytes: all,
    reserve: () => reserve,
  }
}

let nextId = 1
const file = (ageMs: number, more: Partial<FileFacts> = {}): FileFacts => {
  const endMs = now - ageMs
  return {
    ...{ id: nextId++, camera, startMs: endMs - minute, endMs, createdAt: endMs - minute, bytes: 10 * mb },
    ...{ removable: true, ...more },
  }
}

/** An event that needs the files that began within its time. */
const event = (kind: 'ring' | 'motion', ageMs: number, more: Partial<EventFacts> = {}): EventFacts => ({
  ...{ id: `event-${nextId++}`, camera, kind, fromMs: now - ageMs - minute / 2, toMs: now - ageMs - minute / 4 },
  ...{ protected: false, ...more },
})

const facts = (
  files: FileFacts[],
  events: EventFacts[] = [],
  freeBytes?: number,
  totalBytes = 100 * mb,
): RetentionFacts => ({
  ...{ files, events, strangersUntil: undefined, now },
  disk: freeBytes === undefined ? undefined : { freeBytes, totalBytes },
})

const gone = (of: RetentionFacts, by: RetentionLimits) => planRetention(of, by).removals.map(({ file: { id } }) => id)

describe('by age', () => {
  test('what an index met that was made anew is kept like a ring from then on: it may have been one, or protected', () => {
    const [stranger, own] = [file(100 * day), file(4 * day)] as [FileFacts, FileFacts]
    const of = (metDaysAgo: number) => ({ ...facts([stranger, own]), strangersUntil: now - metDaysAgo * day })
    expect(gone(of(59), limits())).toEqual([own.id])
    expect(gone(of(61), limits()).toSorted()).toEqual([stranger.id, own.id].toSorted())
  })

  test('each class is kept as long as is said, and no longer', () => {
    const [ring, motion, other] = [59, 13, 2.9].map((days) => file(days * day)) as [FileFacts, FileFacts, FileFacts]
    const [oldRing, oldMotion, old] = [61, 15, 3.1].map((days) => file(days * day)) as [FileFacts, FileFacts, FileFacts]
    const events = [59, 61].map((days) => event('ring', days * day))
    const motions = [13, 15].map((days) => event('motion', days * day))
    const of = facts([ring, motion, other, oldRing, oldMotion, old], [...events, ...motions])
    expect(gone(of, limits()).toSorted()).toEqual([oldRing.id, oldMotion.id, old.id].toSorted())
    expect(planRetention(of, limits()).expired.toSorted()).toEqual([events[1]!.id, motions[1]!.id].toSorted())
  })

  test('a file that two events share stays as long as one of them needs it, and so does the other event', () => {
    const shared = file(20 * day)
    const motion = event('motion', 20 * day)
    const of = facts([shared], [motion, event('ring', 20 * day)])
    expect(planRetention(of, limits())).toMatchObject({ removals: [], expired: [] })
    expect(gone(facts([shared], [motion]), limits())).toEqual([shared.id])
  })

  test('the file before an event stays with it: it may begin with its keyframe', () => {
    const before = file(10 * day + minute / 2 + 5_000)
    expect(gone(facts([before], [event('motion', 10 * day)]), limits())).toEqual([])
  })

  test('what a camera with a wrong clock recorded is as old as its file', () => {
    const fresh = { createdAt: now - day, startMs: 60_000, endMs: 120_000 }
    const stale = { createdAt: now - 4 * day, startMs: now + 90 * day, endMs: now + 90 * day + minute }
    const [of1970, ofTheFuture] = [file(0, fresh), file(0, stale)]
    expect(gone(facts([of1970, ofTheFuture]), limits())).toEqual([ofTheFuture.id])
    // what an outage kept away is as old as its pictures
    const late = file(4 * day, { createdAt: now - day })
    expect(gone(facts([late]), limits())).toEqual([late.id])
  })

  test('what is protected or being written stays, and an event that goes on is not forgotten', () => {
    const growing = file(100 * day, { removable: false })
    const kept = file(90 * day)
    const going = file(80 * day) // of a motion that never ends
    const open = event('motion', 80 * day, { toMs: null })
    const of = facts([growing, kept, going], [event('ring', 90 * day, { protected: true }), open])
    expect(gone(of, limits())).toEqual([going.id])
    expect(planRetention(of, limits()).expired).toEqual([])
  })
})

describe('by bytes', () => {
  test('the oldest of the cheapest class goes first, until the camera is within its limit', () => {
    const ring = file(3 * day)
    const motion = file(2.5 * day)
    const other = [2, 1.5, 1].map((days) => file(days * day))
    const of = facts([ring, motion, ...other], [event('ring', 3 * day), event('motion', 2.5 * day)])
    expect(gone(of, limits({ bytes: 35 * mb }))).toEqual([other[0]!.id, other[1]!.id])
    expect(gone(of, limits({ bytes: 11 * mb }))).toEqual([...other.map(({ id }) => id), motion.id])
    expect(gone(of, limits({ all: 11 * mb }))).toEqual([...other.map(({ id }) => id), motion.id])
    expect(gone(of, limits({ classBytes: { ...noBytes, continuous: 21 * mb } }))).toEqual([other[0]!.id])
  })

  test('the reserve is regained, and only then', () => {
    const files = [2, 1].map((days) => file(days * day))
    expect(gone(facts(files, [], 50 * mb), limits({ reserve: 50 * mb }))).toEqual([])
    expect(gone(facts(files, [], 45 * mb), limits({ reserve: 50 * mb }))).toEqual([files[0]!.id])
    expect(gone(facts(files), limits({ reserve: 50 * mb }))).toEqual([])
  })

  test('protected footage that takes a limit is said before, and stops recording there', () => {
    const kept = (count: number) => ({
      files: Array.from({ length: count }, (_, index) => file((index + 1) * day)),
      events: Array.from({ length: count }, (_, index) => event('ring', (index + 1) * day, { protected: true })),
    })
    const roomAt = (count: number, by: RetentionLimits, freeBytes?: number) => {
      const { files, events } = kept(count)
      const { room, removals } = planRetention(facts(files, events, freeBytes), by)
      expect(removals).toEqual([])
      return [room.all, room.cameras.get(camera)]
    }
    const ofCamera = limits({ bytes: 100 * mb })
    expect([8, 9, 10].map((count) => roomAt(count, ofCamera)[1])).toEqual(['enough', 'low', 'none'])
    const ofAll = limits({ all: 100 * mb })
    expect([8, 9, 10].map((count) => roomAt(count, ofAll)[0])).toEqual(['enough', 'low', 'none'])
    const reserve = limits({ reserve: 50 * mb })
    expect([51, 49, 24].map((free) => roomAt(3, reserve, free * mb)[0])).toEqual(['enough', 'low', 'none'])
    // a disk that others have filled is used to its end
    expect(roomAt(0, reserve, 1)[0]).toBe('enough')
  })
})

describe('whatever there is', () => {
  const cameras = ['door.front', 'yard.back']
  const someFile = fc.record({
    camera: fc.constantFrom(...cameras),
    ageMs: fc.integer({ min: 0, max: 70 * day }),
    lengthMs: fc.integer({ min: 1, max: 2 * minute }),
    bytes: fc.integer({ min: 0, max: 40 * mb }),
    removable: fc.boolean(),
  })
  const someEvent = fc.record({
    camera: fc.constantFrom(...cameras),
    kind: fc.constantFrom('ring' as const, 'motion' as const),
    ageMs: fc.integer({ min: 0, max: 70 * day }),
    lengthMs: fc.integer({ min: 0, max: day }),
    open: fc.boolean(),
    protected: fc.boolean(),
  })
  const quota = fc.option(fc.integer({ min: mb, max: 600 * mb }), { nil: none })
  const someLimits = fc.record({ ring: quota, motion: quota, continuous: quota, bytes: quota, all: quota })
  const house = fc
    .tuple(fc.array(someFile, { maxLength: 60 }), fc.array(someEvent, { maxLength: 12 }), someLimits)
    .map(([files, events, { all, bytes, ...classBytes }]) => ({
      of: facts(
        files.map(({ ageMs, lengthMs, ...more }, index) =>
          file(ageMs, { ...more, id: index + 1, startMs: now - ageMs - lengthMs }),
        ),
        events.map(({ ageMs, lengthMs, open, ...more }, index) => ({
          ...more,
          id: `event-${index}`,
          fromMs: now - ageMs - lengthMs,
          toMs: open ? null : now - ageMs,
        })),
      ),
      by: limits({ bytes, all, classBytes }),
    }))
  const needed = ({ events }: RetentionFacts, { startMs, endMs, camera: id }: FileFacts, lead: number) =>
    events.filter(
      (one) => one.camera === id && one.fromMs - lead <= endMs && (one.toMs === null || one.toMs >= startMs),
    )
  const bytesOf = (files: readonly FileFacts[]) => files.reduce((sum, { bytes }) => sum + bytes, 0)

  test('protected and growing files stay, and events with footage or protection', () => {
    fc.assert(
      fc.property(house, ({ of, by }) => {
        const { removals, expired } = planRetention(of, by)
        for (const { file: one } of removals) {
          expect(one.removable).toBe(true)
          expect(needed(of, one, 30_000).filter((event_) => event_.protected)).toEqual([])
        }
        const left = of.files.filter((one) => !removals.some((removal) => removal.file === one))
        for (const id of expired) {
          expect(left.flatMap((one) => needed(of, one, 0)).map((event_) => event_.id)).not.toContain(id)
          expect(of.events.find((event_) => event_.id === id)).toMatchObject({ protected: false })
        }
      }),
    )
  })

  test('limits are kept as far as anything may go, and what stays is not cheaper and older than what went', () => {
    fc.assert(
      fc.property(house, ({ of, by }) => {
        const { removals } = planRetention(of, by)
        const went = new Set(removals.map((removal) => removal.file))
        const left = of.files.filter((one) => !went.has(one))
        const mayGo = (one: FileFacts) =>
          one.removable && one.bytes > 0 && !needed(of, one, 30_000).some((event_) => event_.protected)
        for (const id of cameras) {
          const ofCamera = left.filter((one) => one.camera === id)
          if (bytesOf(ofCamera) > by.camera(id).bytes) expect(ofCamera.filter(mayGo)).toEqual([])
        }
        if (bytesOf(left) > by.bytes) expect(left.filter(mayGo)).toEqual([])
        const ranks = { continuous: 0, motion: 1, ring: 2 }
        const rankOf = (one: FileFacts) =>
          Math.max(0, ...needed(of, one, 30_000).map((event_) => ranks[event_.kind as 'ring' | 'motion']))
        for (const removal of removals.filter(({ reason }) => reason === 'all')) {
          for (const one of left.filter(mayGo)) {
            const rank = ranks[removal.class]
            expect(rankOf(one)).toBeGreaterThanOrEqual(rank)
            if (rankOf(one) === rank) expect(one.endMs).toBeGreaterThanOrEqual(removal.file.endMs)
          }
        }
      }),
    )
  })

  test('the same facts in any order give the same plan', () => {
    fc.assert(
      fc.property(house, fc.infiniteStream(fc.nat()), ({ of, by }, numbers) => {
        const shuffled = <T>(list: readonly T[]) =>
          list
            .map((item) => [numbers.next().value as number, item] as const)
            .toSorted((a, b) => a[0] - b[0])
            .map(([, item]) => item)
        const again = planRetention({ ...of, files: shuffled(of.files), events: shuffled(of.events) }, by)
        const ids = (plan: typeof again) => plan.removals.map((removal) => removal.file.id).toSorted((a, b) => a - b)
        expect(ids(again)).toEqual(ids(planRetention(of, by)))
      }),
    )
  })
})
