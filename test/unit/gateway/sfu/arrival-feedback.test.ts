import { parseRtcp, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { expect, test } from 'vitest'
import { ArrivalFeedback } from '../../../../gateway/sfu/arrival-feedback.ts'

/** What a sender reads of everything that is to be told. */
function told(feedback: ArrivalFeedback) {
  const packets = []
  for (let next = feedback.take(1, 2); next !== undefined; next = feedback.take(1, 2)) {
    packets.push(...parseRtcp(writeRtcp([next])))
  }
  return packets.map((packet) =>
    packet.type === 'twcc' ? packet.arrivals.map(({ sequence, atUs }) => [sequence, atUs !== undefined]) : [],
  )
}

test('tells what came and what did not, once', () => {
  const feedback = new ArrivalFeedback()
  for (const sequence of [65_534, 65_535, 1]) feedback.arrived(sequence, 5)
  expect(told(feedback)).toEqual([
    [
      [65_534, true],
      [65_535, true],
      [0, false],
      [1, true],
    ],
  ])
  expect(told(feedback)).toEqual([])
})

test('a packet that comes twice under one number came the first time', () => {
  const feedback = new ArrivalFeedback()
  feedback.arrived(7, 10)
  feedback.arrived(8, 11)
  feedback.arrived(7, 40)
  const arrivals = feedback.take(1, 2)!.arrivals
  expect(arrivals[1]!.atUs! - arrivals[0]!.atUs!).toBe(1_000)
  feedback.arrived(7, 50)
  expect(feedback.take(1, 2)).toBeUndefined()
})

test('a process that stood still for long between two packets tells of them in two', () => {
  const feedback = new ArrivalFeedback()
  feedback.arrived(1, 0)
  feedback.arrived(2, 9_000)
  feedback.arrived(4, 9_001)
  expect(told(feedback)).toEqual([
    [[1, true]],
    [
      [2, true],
      [3, false],
      [4, true],
    ],
  ])
})

test('so it does where the older packet came last', () => {
  const feedback = new ArrivalFeedback()
  feedback.arrived(1, 0)
  feedback.arrived(3, 1)
  feedback.arrived(2, 20_000)
  expect(told(feedback)).toEqual([[[1, true]], [[2, true]], [[3, true]]])
})
