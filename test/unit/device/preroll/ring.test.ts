import { describe, expect, it } from 'vitest'
import { PrerollRing } from '../../../../device/preroll/ring.ts'
import { numbers, pictures, sound } from '../frames.ts'

const limits = { seconds: 10, maxBytes: 10_000_000 }

describe('PrerollRing', () => {
  it('keeps at least its seconds, and lets whole groups go', () => {
    const ring = new PrerollRing(limits)
    for (const unit of pictures({ count: 1_000 })) {
      ring.accessUnit(unit)
      if (unit.frame >= 275) expect(unit.captureMs - ring.oldestMs!).toBeGreaterThanOrEqual(10_000)
      expect(ring.oldestFrame! % 25).toBe(0)
    }
    // 10 s and at most one group more
    expect(999 - ring.oldestFrame!).toBeLessThanOrEqual(275)
  })

  it('keeps the seconds with groups longer than them', () => {
    const ring = new PrerollRing(limits)
    for (const unit of pictures({ count: 1_000, gop: 300 })) ring.accessUnit(unit)
    expect(ring.oldestFrame).toBe(600)
  })

  it('begins with a keyframe', () => {
    const ring = new PrerollRing(limits)
    for (const unit of pictures({ from: 20, count: 10 })) ring.accessUnit(unit)
    expect(numbers(ring.currentGop().units)).toEqual([25, 26, 27, 28, 29])
    expect(ring.since(0).units[0]?.keyframe).toBe(true)
  })

  it('is bounded in bytes', () => {
    const ring = new PrerollRing({ seconds: 10, maxBytes: 100_000 })
    for (const unit of pictures({ count: 500, bytes: 1_000 })) {
      ring.accessUnit(unit)
      expect(ring.bytes).toBeLessThanOrEqual(100_000)
    }
    expect(ring.newestFrame).toBe(499)
    expect(ring.since(0).units[0]?.keyframe).toBe(true)
  })

  it('gives up a group larger than itself, and goes on at the next keyframe', () => {
    const ring = new PrerollRing({ seconds: 10, maxBytes: 10_000 })
    for (const unit of pictures({ count: 60, gop: 50, bytes: 1_000 })) ring.accessUnit(unit)
    expect(ring.oversized).toBe(1)
    expect(numbers(ring.currentGop().units)).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59])
  })

  it('bounds sound without pictures, in seconds and in bytes', () => {
    const ring = new PrerollRing({ seconds: 2, maxBytes: 1_000_000 })
    for (const frame of sound(1_000)) ring.audioFrame(frame)
    expect(ring.bytes).toBeLessThanOrEqual(101 * 160)
    const narrow = new PrerollRing({ seconds: 10, maxBytes: 1_600 })
    for (const frame of sound(1_000)) narrow.audioFrame(frame)
    expect(narrow.bytes).toBeLessThanOrEqual(1_600)
  })

  it('finds the keyframe at or before a time', () => {
    const ring = new PrerollRing(limits)
    for (const unit of pictures({ count: 100 })) ring.accessUnit(unit)
    expect(ring.since(1_000_000 + 60 * 40).units[0]?.frame).toBe(50)
    expect(ring.since(1_000_000 + 50 * 40).units[0]?.frame).toBe(50)
    expect(ring.since(1_000_000 + 50 * 40 - 1).units[0]?.frame).toBe(25)
    expect(ring.since(0).units[0]?.frame).toBe(0)
  })

  it('gives a range the sound of its own pictures', () => {
    const ring = new PrerollRing(limits)
    for (const frame of sound(200)) ring.audioFrame(frame)
    for (const unit of pictures({ count: 100 })) ring.accessUnit(unit)
    const span = ring.range(30, 39)
    expect(numbers(span.units)).toEqual([30, 31, 32, 33, 34, 35, 36, 37, 38, 39])
    expect(numbers(span.audio)).toEqual(Array.from({ length: 20 }, (_, index) => 60 + index))
    expect(ring.range(200, 300).units).toEqual([])
  })

  it('keeps B-pictures as they come, with the sound up to what is shown last', () => {
    const ring = new PrerollRing(limits)
    const [idr, p, b, next] = pictures({ count: 4, gop: 3 })
    // decoding order I P B, shown I B P
    const units = [
      idr!,
      { ...p!, captureMs: b!.captureMs },
      { ...b!, captureMs: p!.captureMs, reference: false },
      next!,
    ]
    for (const unit of units) ring.accessUnit(unit)
    for (const frame of sound(10)) ring.audioFrame(frame)
    const span = ring.range(0, 2)
    expect(span.units).toEqual(units.slice(0, 3))
    expect(span.audio.at(-1)?.captureMs).toBe(1_000_100)
  })

  it('begins anew when the clock is set back', () => {
    const ring = new PrerollRing(limits)
    for (const unit of pictures({ count: 100 })) ring.accessUnit(unit)
    for (const unit of pictures({ from: 100, count: 10, startMs: 500_000 })) ring.accessUnit(unit)
    expect(ring.oldestFrame).toBe(100)
  })

  it('keeps what is wanted longer than its seconds, but not beyond its bytes', () => {
    const ring = new PrerollRing({ seconds: 2, maxBytes: 30_000 })
    const units = pictures({ count: 600 })
    for (const unit of units.slice(0, 50)) ring.accessUnit(unit)
    ring.keepFrom(30)
    for (const unit of units.slice(50, 250)) ring.accessUnit(unit)
    expect(ring.oldestFrame).toBe(25)
    for (const unit of units.slice(250)) ring.accessUnit(unit)
    expect(ring.bytes).toBeLessThanOrEqual(30_000)
    ring.keepFrom(undefined)
    ring.accessUnit({ ...units[599]!, frame: 600, captureMs: units[599]!.captureMs + 40 })
    expect(ring.oldestFrame).toBeGreaterThan(500)
  })

  it('does not mix codecs', () => {
    const ring = new PrerollRing(limits)
    ring.format({ codec: 'h264', width: 640, height: 360 }, { codec: 'pcmu', clockRate: 8_000, channels: 1 })
    for (const unit of pictures({ count: 30 })) ring.accessUnit(unit)
    for (const frame of sound(10)) ring.audioFrame(frame)
    ring.format({ codec: 'h264', width: 1280, height: 720 }, { codec: 'pcmu', clockRate: 8_000, channels: 1 })
    expect(ring.oldestFrame).toBe(0)
    ring.format({ codec: 'h265', width: 1280, height: 720 }, undefined)
    expect(ring.oldestFrame).toBeUndefined()
    expect(ring.bytes).toBe(0)
  })
})
