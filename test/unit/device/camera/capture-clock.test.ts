import { describe, expect, it } from 'vitest'
import { CaptureClock } from '../../../../device/camera/capture-clock.ts'

const start = 1_700_000_000_000

describe('CaptureClock', () => {
  /** Frames of 25 fps; `delay` and `ticks` bend what arrives. */
  function feed(count: number, delay: (index: number) => number, ticks = (index: number) => index * 3600) {
    const clock = new CaptureClock(90_000)
    return Array.from({ length: count }, (_, index) =>
      clock.capture(ticks(index) >>> 0, start + index * 40 + delay(index)),
    )
  }
  const steps = (times: number[]) => times.slice(1).map((time, index) => time - times[index]!)

  it('takes the jitter of the network out', () => {
    const times = feed(500, (index) => 5 + ((index * 7919) % 80))
    for (const step of steps(times.slice(100))) expect(Math.abs(step - 40)).toBeLessThan(2.1)
    expect(times.at(-1)! - (start + 499 * 40)).toBeLessThan(15)
  })

  it('is not moved by a stall of the connection', () => {
    const times = feed(300, (index) => (index > 150 && index < 200 ? (200 - index) * 40 : 5))
    for (const step of steps(times)) expect(Math.abs(step - 40)).toBeLessThan(5)
  })

  it('follows a clock that drifts by 100 ppm', () => {
    const hour = 25 * 3600
    const times = feed(
      hour,
      () => 5,
      (index) => Math.round(index * 3600 * 0.9999),
    )
    expect(Math.abs(times.at(-1)! - (start + (hour - 1) * 40))).toBeLessThan(30)
  })

  it('goes on evenly over a wrap and over a jump of the timestamps', () => {
    const wrap = feed(
      100,
      () => 5,
      (index) => 2 ** 32 - 180_000 + index * 3600,
    )
    for (const step of steps(wrap)) expect(step).toBeCloseTo(40, 1)
    for (const jump of [5_000_000, -5_000_000, -9_000]) {
      const times = feed(
        100,
        () => 5,
        (index) => 9_000_000 + index * 3600 + (index >= 50 ? jump : 0),
      )
      for (const step of steps(times)) {
        expect(step).toBeGreaterThan(0)
        expect(step).toBeLessThan(85)
      }
    }
  })

  it('lets pictures in decoding order step back by little', () => {
    const clock = new CaptureClock(90_000)
    clock.reorders = true
    const times = [0, 3, 1, 2, 6, 4, 5].map((place, index) => clock.capture(place * 3600, start + 200 + index * 40))
    expect(times.map((time) => Math.round((time - times[0]!) / 40))).toEqual([0, 3, 1, 2, 6, 4, 5])
  })

  it('shows pictures of few a second in their order from the first one on, whatever is sent ahead', () => {
    const clock = new CaptureClock(90_000)
    const places = [0, 4, 1, 2, 3, 8, 5, 6, 7, 9, 10, 14, 11, 12, 13]
    const times = places.map((place, index) => {
      // the first one between two others says that there are such
      clock.reorders ||= index > 0 && place < places[index - 1]!
      return clock.capture(place * 9_000, start + index * 100)
    })
    for (const [index, time] of times.entries())
      expect(Math.abs(time - times[0]! - places[index]! * 100)).toBeLessThan(20)
  })

  it('forgets a first picture that came late', () => {
    const times = feed(40, (index) => (index === 0 ? 800 : 5))
    for (const step of steps(times)) expect(step).toBeGreaterThan(0)
    expect(times.at(-1)! - (start + 39 * 40)).toBeLessThan(10)
  })

  it('aligns sound with the picture by sender reports, and not by those of a wrong clock', () => {
    const run = (cameraClock: number, audioError: number) => {
      const video = new CaptureClock(90_000)
      const audio = new CaptureClock(8_000)
      let last = 0
      for (let ms = 0; ms < 10_000; ms += 20) {
        video.capture((ms * 90) >>> 0, start + ms + 5)
        if (ms === 1_000) {
          video.senderReport(cameraClock + ms, ms * 90)
          audio.senderReport(cameraClock + ms + audioError, ms * 8)
        }
        last = audio.capture((ms * 8) >>> 0, start + ms + 105, video) - (start + ms) // the sound comes 100 ms late
      }
      return last
    }
    expect(run(1_000, 0)).toBeCloseTo(5, 0) // a camera that booted in 1970, both lines alike
    expect(run(1_000, 3_600_000)).toBeCloseTo(105, 0)
  })
})
