import { expect, test } from 'vitest'
import { againMs, collectMs, HoleAsker } from '../../../../gateway/recorder/hole-asker.ts'
import { RunLedger } from '../../../../gateway/recorder/ledger.ts'
import { HandTimers } from '../../../support/hand-timers.ts'

const run = 'boot-0001'

function asking() {
  const timers = new HandTimers()
  const ledger = new RunLedger()
  const asked: [string, number, number][] = []
  const ended: [string, number, number][] = []
  const asker = new HoleAsker({
    ask: (...hole) => asked.push(hole),
    ledger: (of) => (of === run ? ledger : undefined),
    onEnded: (...hole) => ended.push(hole),
    schedule: (callback, ms) => timers.set(callback, ms),
  })
  /** What is asked when so much time has gone by. */
  const after = (ms: number) => {
    asked.length = 0
    timers.fire(ms)
    return [...asked]
  }
  return { asker, ledger, ended, after, asked }
}

test('a hole is asked for again until it is filled: only what is still missing, and bounded', () => {
  const { asker, ledger, ended, after } = asking()
  asker.missing(run, 10, 19)
  asker.missing(run, 15, 24)
  expect(after(collectMs)).toEqual([[run, 10, 24]])
  ledger.video.add(12, 14)
  const [first, second, third, fourth, last] = againMs
  expect(after(first)).toEqual([
    [run, 10, 11],
    [run, 15, 24],
  ])
  ledger.video.add(15, 24)
  for (const ms of [second, third, fourth]) expect(after(ms)).toEqual([[run, 10, 11]])
  expect(ended).toEqual([])
  expect(asker.asking).toBe(true)
  expect(after(last)).toEqual([])
  expect(ended).toEqual([[run, 10, 11]])
  expect(asker.asking).toBe(false)
})

test('what comes while it is collected, is asked for, or was told to be gone is not asked for', () => {
  const { asker, ledger, ended, after, asked } = asking()
  asker.missing(run, 1, 4)
  ledger.video.add(1, 2)
  asker.gone(run, 3, 3)
  expect(after(collectMs)).toEqual([[run, 4, 4]])
  asker.missing(run, 1, 4)
  expect(after(collectMs)).toEqual([])
  // gone, and missing once more: somebody has to know
  expect(ended).toEqual([[run, 3, 3]])
  asker.gone(run, 4, 4)
  asked.length = 0
  for (const ms of againMs) expect(after(ms)).toEqual([])
  expect(ended).toEqual([[run, 3, 3]])
})

test('while the device is away nobody is asked and nothing ends; when it comes, everything is asked at once and from the start', () => {
  const { asker, ended, after, asked } = asking()
  asker.missing(run, 1, 2)
  expect(after(collectMs)).toHaveLength(1)
  asker.online(false)
  asker.missing(run, 8, 9)
  for (const ms of [collectMs, ...againMs]) expect(after(ms)).toEqual([])
  expect(ended).toEqual([])
  asker.online(true)
  expect(asked).toEqual([
    [run, 1, 2],
    [run, 8, 9],
  ])
  for (const ms of againMs.slice(0, -1)) expect(after(ms)).toHaveLength(2)
  after(againMs.at(-1)!)
  expect(ended).toHaveLength(2)
})

test('many holes are asked for in turn, none is forgotten, and more than there is room for is given up and told', () => {
  const { asker, ended, after } = asking()
  for (let frame = 0; frame < 40; frame += 2) asker.missing(run, frame, frame)
  expect(after(collectMs)).toHaveLength(16)
  expect(after(collectMs)).toHaveLength(4)
  for (let frame = 100; frame < 100 + 2 * 1_024; frame += 2) asker.missing(run, frame, frame)
  expect(ended).toHaveLength(20)
  asker.close()
  for (const ms of [collectMs, ...againMs]) expect(after(ms)).toEqual([])
  expect(ended).toHaveLength(20)
})

test('a hole of four thousand million frames is one question', () => {
  const { asker, after } = asking()
  asker.missing(run, 5, 0xffff_fffe)
  asker.missing(run, 9, 8)
  expect(after(collectMs)).toEqual([[run, 5, 0xffff_fffe]])
})
