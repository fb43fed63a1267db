import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Keepalive, keepaliveSeconds } from '../../../../device/camera/rtsp/keepalive.ts'

describe('Keepalive', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const start = (getParameter: boolean, answer: () => Promise<number>, timeoutSeconds = 60) => {
    const sent: string[] = []
    const lost = vi.fn()
    const send = (method: string) => {
      sent.push(method)
      return answer()
    }
    const keepalive = new Keepalive({ timeoutSeconds, getParameter, send, lost })
    return { sent, lost, keepalive }
  }

  it('comes five seconds before the timeout, and in half of a short one', () => {
    expect([60, 30, 10, 5, 2, 1, 3600].map(keepaliveSeconds)).toEqual([55, 25, 5, 2.5, 1, 1, 55])
  })

  it('uses GET_PARAMETER where announced, OPTIONS where not or where it is refused', async () => {
    const announced = start(true, () => Promise.resolve(501))
    const plain = start(false, () => Promise.resolve(200))
    await vi.advanceTimersByTimeAsync(120_000)
    expect(announced.sent).toEqual(['GET_PARAMETER', 'OPTIONS'])
    expect(plain.sent).toEqual(['OPTIONS', 'OPTIONS'])
    for (const { keepalive } of [announced, plain]) keepalive.close()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(plain.sent).toHaveLength(2)
  })

  it('is not put off by a camera that never answers', async () => {
    const never = start(true, () => new Promise(() => undefined))
    const failing = start(true, () => Promise.reject(new Error('timeout')))
    await vi.advanceTimersByTimeAsync(170_000)
    expect(never.sent).toHaveLength(3)
    expect(failing.sent).toHaveLength(3)
    expect(never.lost).not.toHaveBeenCalled()
    never.keepalive.close()
    failing.keepalive.close()
  })

  it('hears that the session is forgotten (454)', async () => {
    const { lost, keepalive } = start(true, () => Promise.resolve(454))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(lost).toHaveBeenCalledOnce()
    keepalive.close()
  })
})
