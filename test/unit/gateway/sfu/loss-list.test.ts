import { expect, test } from 'vitest'
import { defaultLossLimits, LossList } from '../../../../gateway/sfu/loss-list.ts'

test('asks after a little patience, again after a round trip, and gives up', () => {
  const list = new LossList()
  list.arrived(10, 0)
  list.arrived(13, 0)
  expect(list.due(1)).toEqual({ ask: [], givenUp: [] })
  expect(list.due(5)).toEqual({ ask: [11, 12], givenUp: [] })
  expect(list.due(60).ask).toEqual([])
  expect(list.due(96).ask).toEqual([11, 12])
  list.arrived(11, 100)
  expect(list.isMissing(11)).toBe(false)
  expect(list.due(defaultLossLimits.giveUpMs)).toEqual({ ask: [], givenUp: [12] })
  expect(list.size).toBe(0)
})

test('reordering is not asked for', () => {
  const list = new LossList()
  for (const ext of [1, 3, 2, 4]) list.arrived(ext, 0)
  expect(list.due(50).ask).toEqual([])
})

test('learns the round trip from answers to a single request (Karn)', () => {
  const list = new LossList()
  const before = list.rttMs
  expect(list.measuredMs).toBeUndefined()
  list.arrived(1, 0)
  list.arrived(3, 0)
  list.due(5)
  list.arrived(2, 13)
  expect(list.rttMs).toBeCloseTo(before + (8 - before) / 8)
  expect(list.measuredMs).toBe(8)
})

test('a hole that is too large is not asked for', () => {
  const list = new LossList()
  list.arrived(1, 0)
  expect(list.arrived(defaultLossLimits.missing + 3, 0)).toBe(false)
  expect(list.size).toBe(0)
})
