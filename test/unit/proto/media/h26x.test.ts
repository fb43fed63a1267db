import * as h264 from '@porchlight/proto/media/h264.ts'
import * as h265 from '@porchlight/proto/media/h265.ts'
import { describe, expect, it } from 'vitest'

const base64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))

describe('H.264', () => {
  it('reads parameter sets of cameras', () => {
    const baseline = h264.parseSps(base64('Z0LAFNoFB+hAAAADAEAAAAwDxQqo'))!
    expect(baseline).toMatchObject({ width: 320, height: 240, reorderFrames: 0, profile: 66, framesPerSecond: 24 })
    expect(h264.codecString(baseline)).toBe('avc1.42c014')
    // High profile with cropping: 1080 is no multiple of 16
    expect(h264.parseSps(base64('Z2QAKKzZQHgCJ+XARAAAAwAEAAADAPA8YMZY'))).toMatchObject({ width: 1920, height: 1080 })
    expect(h264.parseSps(base64('Z0LA'))).toBeUndefined()
    expect(h264.parsePpsIds(base64('aM4PLIA='))).toEqual({ id: 0, sps: 0 })
  })

  it('knows slices', () => {
    const types = [
      [0x65, 0x88, 0x80], // ue 0, ue 7: I
      [0x41, 0x9a, 0x00], // ue 0, ue 5: P
      [0x01, 0x9e, 0x00], // ue 0, ue 6: B
      [0x67, 0x42, 0x00],
    ].map((nal) => h264.sliceType(Uint8Array.from([...nal, 1])))
    expect(types).toEqual(['I', 'P', 'B', undefined])
    expect(h264.isReference(Uint8Array.of(0x01, 0x9e))).toBe(false)
    expect(h264.isFirstSlice(Uint8Array.of(0x41, 0x5a))).toBe(false)
  })

  it('splits at start codes of both lengths', () => {
    const stream = Uint8Array.of(0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0)
    expect(h264.splitAnnexB(stream)).toEqual([Uint8Array.of(9, 0xf0), Uint8Array.of(0x67, 1), Uint8Array.of(0x68, 2)])
  })
})

describe('H.265', () => {
  it('reads parameter sets and knows pictures', () => {
    const sps = h265.parseSps(base64('QgEBAWAAAAMAkAAAAwAAAwBdoAKAgC0WWVmkkyuAQAAA+kAAF3AC'))!
    expect(sps).toMatchObject({ width: 1280, height: 720, chroma: 1, profile: 1 })
    expect(h265.codecString(sps)).toBe('hvc1.1.6.L93.90')
    expect(h265.isIrap(Uint8Array.of(0x26, 1, 0x80))).toBe(true)
    expect(h265.isReference(Uint8Array.of(0x00, 1, 0x80))).toBe(false)
    expect(h265.isReference(Uint8Array.of(0x02, 1, 0x80))).toBe(true)
  })
})
