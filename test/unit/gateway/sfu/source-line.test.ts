import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SourceLine } from '../../../../gateway/sfu/source-line.ts'

const frame = 3_600

/** A source of 25 pictures a second, one packet each. */
function source(first: { sequence: number; rtp: number }) {
  const line = new SourceLine(90_000)
  const start = line.place(first.sequence, first.rtp, 0)!
  const at = (number: number, { sequence = 0, ticks = 0, nowMs = number * 40 } = {}) => {
    const place = line.place(
      (first.sequence + number + sequence) & 0xffff,
      (first.rtp + number * frame + ticks) >>> 0,
      nowMs,
    )
    return place && { ext: place.ext - start.ext, ticks: place.timestamp - start.timestamp }
  }
  return { line, at, start }
}

test('numbers and times go on over their wraps, and a late packet stands where it belongs', () => {
  const { at } = source({ sequence: 65_533, rtp: 2 ** 32 - 2 * frame })
  for (const number of [1, 2, 5, 3, 4, 6]) expect(at(number)).toEqual({ ext: number, ticks: number * frame })
})

test('a clock that is set leaves no trace: the next picture comes when it came', () => {
  for (const hours of [1, -1]) {
    const { at } = source({ sequence: 7, rtp: 1_000 })
    at(1)
    const ticks = hours * 3_600 * 90_000
    expect(at(2, { ticks })).toEqual({ ext: 2, ticks: 2 * frame })
    expect(at(3, { ticks })).toEqual({ ext: 3, ticks: 3 * frame })
    // One of the time before, which comes late, would be taken for hours away.
    expect(at(1)).toBeUndefined()
  }
})

test('a kept group that comes in a burst, and a pause of a minute, are no leaps', () => {
  const { at } = source({ sequence: 7, rtp: 1_000 })
  for (let number = 1; number < 200; number++)
    expect(at(number, { nowMs: number })).toEqual({ ext: number, ticks: number * frame })
  expect(at(200, { ticks: 60 * 90_000, nowMs: 60_200 })).toEqual({ ext: 200, ticks: 200 * frame + 60 * 90_000 })
})

test('numbers that begin anew go on behind those before, once two of them come in a row', () => {
  const { at, line, start } = source({ sequence: 7, rtp: 1_000 })
  at(1)
  expect(at(2, { sequence: 30_000 })).toBeUndefined()
  const next = line.place(30_010, 1_000 + 3 * frame, 120)!
  expect(next.ext & 0xffff).toBe(30_010)
  expect(next.ext).toBeGreaterThan(start.ext)
  expect(line.place(30_011, 1_000 + 4 * frame, 160)!.ext).toBe(next.ext + 1)
})

test('one packet astray changes nothing', () => {
  const { at } = source({ sequence: 7, rtp: 1_000 })
  at(1)
  expect(at(2, { sequence: 20_000 })).toBeUndefined()
  expect(at(2)).toEqual({ ext: 2, ticks: 2 * frame })
  expect(at(3, { sequence: -20_000 })).toBeUndefined()
  expect(at(3)).toEqual({ ext: 3, ticks: 3 * frame })
})

test('a timestamp of a sender report is put on the same line', () => {
  const { at, line, start } = source({ sequence: 7, rtp: 1_000 })
  at(1)
  const leap = 5_000_000
  at(2, { ticks: leap })
  expect(line.timeOf(1_000 + 2 * frame + leap + 45) - start.timestamp).toBe(2 * frame + 45)
})

test('whatever comes, places are finite and never go back by more than what may be late', () => {
  const packet = fc.tuple(fc.nat(0xffff), fc.nat(0xffffffff), fc.nat(100_000))
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 200 }), (packets) => {
      const line = new SourceLine(90_000)
      let nowMs = 0
      let highest = Number.NEGATIVE_INFINITY
      for (const [sequence, rtp, pauseMs] of packets) {
        nowMs += pauseMs
        const place = line.place(sequence, rtp, nowMs)
        if (!place) continue
        expect(Number.isSafeInteger(place.ext)).toBe(true)
        expect(Number.isFinite(place.timestamp)).toBe(true)
        expect(place.ext & 0xffff).toBe(sequence)
        if (highest > 0) expect(place.ext).toBeGreaterThan(highest - 3_001)
        highest = Math.max(highest, place.ext)
      }
    }),
  )
})
