import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { awaitRepairs, repairWait } from '../../../viewer/src/live/await-repairs.ts'

test('pictures wait for two round trips and more, within bounds, where packets are lost', () => {
  expect(repairWait({ received: 190, lost: 10, rttS: 0.05 })).toBe(200)
  expect(repairWait({ received: 190, lost: 10, rttS: undefined })).toBe(300)
  expect(repairWait({ received: 190, lost: 10, rttS: 2 })).toBe(400)
})

test('a packet now and then is nothing to wait for', () => {
  expect(repairWait({ received: 0, lost: 0, rttS: 0.05 })).toBeNull()
  expect(repairWait({ received: 40, lost: 1, rttS: 0.05 })).toBeNull()
  expect(repairWait({ received: 990, lost: 3, rttS: 0.05 })).toBeNull()
})

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function watched() {
  const video = { type: 'inbound-rtp', kind: 'video', packetsReceived: 0, packetsLost: 0 }
  const pair = { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.05 }
  const receiver = { jitterBufferTarget: null as number | null }
  const pc = {
    getStats: async () => new Map<string, object>(Object.entries({ video, pair })) as Map<string, { type: string }>,
  }
  const stop = awaitRepairs(pc, receiver)
  const second = async (received: number, lost: number) => {
    video.packetsReceived += received
    video.packetsLost += lost
    await vi.advanceTimersByTimeAsync(1_000)
    return receiver.jitterBufferTarget
  }
  return { second, stop }
}

test('the wait begins with loss, stays a while after it, and ends', async () => {
  const { second, stop } = watched()
  expect(await second(200, 0)).toBeNull()
  expect(await second(190, 10)).toBeNull()
  expect(await second(190, 10)).toBe(200)
  for (let calm = 1; calm < 10; calm++) expect(await second(200, 0)).toBe(200)
  expect(await second(200, 0)).toBeNull()
  stop()
})

test('one second of loss alone is no reason to wait', async () => {
  const { second, stop } = watched()
  for (let time = 0; time < 5; time++) {
    expect(await second(100, 50)).toBeNull()
    expect(await second(200, 0)).toBeNull()
  }
  stop()
})

test('stopped, it looks no more', async () => {
  const { second, stop } = watched()
  stop()
  for (let time = 0; time < 3; time++) expect(await second(100, 100)).toBeNull()
})
