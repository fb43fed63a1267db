import { expect, test } from 'vitest'
import { StageClock, type Step } from '../../../../gateway/signaling/stage-clock.ts'

function stages(askedMs: number, steps: [Step, number][]) {
  const clock = { now: 0 }
  const stages = new StageClock(() => clock.now, askedMs)
  for (const [step, atMs] of steps) {
    clock.now = atMs
    stages.reached(step)
  }
  return stages.stages
}

const none = { camera: null, signaling: null, ice: null, dtls: null, firstPacket: null, total: null }

test('each stage is the time from the step before it; a step that was not reached gives none', () => {
  expect(stages(10, [])).toEqual(none)
  expect(stages(10, [['answered', 12.34]])).toEqual({ ...none, signaling: 2.3 })
  const steps: [Step, number][] = [
    ['found', 110],
    ['answered', 115],
    ['path', 145],
    ['keys', 185],
    ['media', 186],
    ['media', 500],
  ]
  expect(stages(10, steps)).toEqual({ camera: 100, signaling: 5, ice: 30, dtls: 40, firstPacket: 1, total: 176 })
})

test('a path that is found before our answer has left does not count into the keys', () => {
  const steps: [Step, number][] = [
    ['path', 3],
    ['answered', 8],
    ['media', 19],
    ['keys', 20],
  ]
  expect(stages(0, steps)).toEqual({ camera: null, signaling: 8, ice: 0, dtls: 12, firstPacket: 0, total: 19 })
})
