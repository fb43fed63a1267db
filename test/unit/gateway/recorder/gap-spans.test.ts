import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type GapSpan, withGap, withoutFrames } from '../../../../gateway/recorder/gap-spans.ts'

const gap = (from: number, to: number, reason: string): GapSpan => ({ from, to, reason, at: 1 })

test('each frame is in one gap: the reason known first stays, and only silence gives way', () => {
  const silent = withGap([], gap(10, 29, 'unanswered'))
  expect(silent).toEqual({ gaps: [gap(10, 29, 'unanswered')], frames: 20 })
  const told = withGap(silent.gaps, gap(20, 39, 'not_kept'))
  expect(told).toEqual({ gaps: [gap(10, 19, 'unanswered'), gap(20, 39, 'not_kept')], frames: 10 })
  expect(withGap(told.gaps, gap(20, 39, 'not_kept'))).toEqual({ ...told, frames: 0 })
  expect(withGap(told.gaps, gap(0, 49, 'too_old'))).toEqual({
    gaps: [gap(0, 19, 'too_old'), gap(20, 39, 'not_kept'), gap(40, 49, 'too_old')],
    frames: 20,
  })
})

test('gaps agree with a map of frames, whatever is told and comes', () => {
  const step = fc.record({
    from: fc.nat(40),
    length: fc.nat(12),
    reason: fc.constantFrom('unanswered', 'not_kept', 'disk_full', 'comes'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let gaps: GapSpan[] = []
      const frames = new Map<number, string>()
      for (const { from, length, reason } of steps) {
        const to = from + length
        const { gaps: next, frames: counted } =
          reason === 'comes' ? withoutFrames(gaps, from, to) : withGap(gaps, gap(from, to, reason))
        gaps = next
        let changed = 0
        for (let frame = from; frame <= to; frame += 1) {
          const known = frames.get(frame)
          if ((known === undefined) !== (reason === 'comes')) changed += 1
          if (reason === 'comes') frames.delete(frame)
          else if (known === undefined || known === 'unanswered') frames.set(frame, reason)
        }
        expect(counted).toBe(changed)
      }
      const spelled = gaps.flatMap(({ from, to, reason }) =>
        Array.from({ length: to - from + 1 }, (_, index): [number, string] => [from + index, reason]),
      )
      expect(spelled).toEqual([...frames].toSorted((a, b) => a[0] - b[0]))
    }),
  )
})
