import { expect, it, onTestFinished, vi } from 'vitest'
import { LinkWatch } from '../../../../gateway/cameras/link-watch.ts'

it('lets a broker restart, and then says once that nobody can be heard', () => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const unheard = vi.fn()
  using watch = new LinkWatch({ unheard })
  watch.link(true)
  watch.link(false)
  vi.advanceTimersByTime(9_000)
  watch.link(true)
  vi.advanceTimersByTime(60_000)
  expect(unheard).not.toHaveBeenCalled()
  watch.link(false)
  vi.advanceTimersByTime(60_000)
  expect(unheard).toHaveBeenCalledTimes(1)
  watch.link(false)
  watch.close()
  vi.advanceTimersByTime(60_000)
  expect(unheard).toHaveBeenCalledTimes(1)
})
