import { expect, test } from 'vitest'
import { type PaceFacts, paceLimits, streamPace } from '../../../viewer/src/live/stream-pace.ts'

const facts = (at: number, ranges: PaceFacts['ranges'], rate = 1): PaceFacts => ({ at, ranges, rate })

test('nothing is done before anything has come, nor while it is close to live', () => {
  expect(streamPace(facts(0, []))).toEqual({ rate: 1 })
  expect(streamPace(facts(10, [[8, 11]]))).toEqual({ rate: 1 })
})

test('the beginning is found wherever the timeline of the stream is, close to its end', () => {
  expect(streamPace(facts(0, [[700, 700.2]]))).toEqual({ seekTo: 700, rate: 1 })
  expect(streamPace(facts(0, [[700, 704]]))).toEqual({ seekTo: 703.5, rate: 1 })
  expect(streamPace(facts(0, [[0, 1.8]]))).toEqual({ seekTo: 1.3, rate: 1 })
  expect(streamPace(facts(0, [[0, 0.2]]))).toEqual({ rate: 1 })
})

test('a hole that the gateway left is jumped over', () => {
  const ranges = [
    [0, 10],
    [12, 12.2],
  ] as const
  expect(streamPace(facts(9.5, ranges))).toEqual({ seekTo: 12, rate: 1 })
})

test('a short delay is played away, down to less than began it; a long one is jumped', () => {
  expect(streamPace(facts(10, [[0, 11.6]])).rate).toBe(paceLimits.hurryRate)
  expect(streamPace(facts(10, [[0, 11.2]], paceLimits.hurryRate)).rate).toBe(paceLimits.hurryRate)
  expect(streamPace(facts(10, [[0, 10.7]], paceLimits.hurryRate)).rate).toBe(1)
  expect(streamPace(facts(10, [[0, 12.1]], paceLimits.hurryRate))).toEqual({ seekTo: 11.6, rate: 1 })
})

test('what was shown long ago is dropped', () => {
  expect(streamPace(facts(31, [[0, 32]]))).toEqual({ rate: 1, dropBefore: 21 })
  expect(streamPace(facts(31, [[21, 32]]))).toEqual({ rate: 1 })
})
