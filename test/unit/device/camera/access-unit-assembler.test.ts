import type { RtpPacket } from '@porchlight/proto/media/rtp.ts'
import { describe, expect, it } from 'vitest'
import { AccessUnitAssembler, type Picture } from '../../../../device/camera/access-unit-assembler.ts'
import { idr, pps, slice, sps } from '../../../support/scripted-camera.ts'

const bytes = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
const startCode = Uint8Array.of(0, 0, 0, 1)
/** first_mb_in_slice 1 in place of 0. */
const second = bytes(Uint8Array.of(0x41, 0x5a, 0x11, 0x22))
/** nal_ref_idc 0, slice type B: ue 0, ue 1 → bits 1 010. */
const bSlice = bytes(Uint8Array.of(0x01, 0xa8, 0x11, 0x22))

function run() {
  const pictures: Picture[] = []
  const sizes: string[] = []
  const assembler = new AccessUnitAssembler('h264', {
    picture: (picture) => pictures.push(picture),
    facts: ({ width, height }) => sizes.push(`${width}×${height}`),
  })
  let sequence = 0
  const push = (timestamp: number, marker: boolean, payload: Uint8Array, lost = 0) => {
    sequence += 1
    const packet: RtpPacket = { marker, payloadType: 96, sequence, timestamp, ssrc: 1, extensions: [], payload }
    assembler.push(packet, lost)
  }
  const kinds = () => pictures.map((picture) => picture.data.map((nal) => nal[0]! & 0x1f).join(' '))
  return { assembler, pictures, push, kinds, sizes }
}

describe('what cameras do with H.264', () => {
  it('SPS, PPS and IDR in one packet with start codes inside', () => {
    const { push, kinds, sizes } = run()
    push(0, true, bytes(sps, startCode, pps, startCode, idr))
    push(3000, true, bytes(startCode, slice))
    expect(kinds()).toEqual(['7 8 5', '1'])
    expect(sizes).toEqual(['320×240'])
  })

  it('marker bits on the parameter sets', () => {
    const { push, kinds } = run()
    push(0, true, sps)
    push(0, true, pps)
    push(0, true, idr)
    expect(kinds()).toEqual(['7 8 5'])
  })

  it('parameter sets once at the start only (Nest): kept for each IDR', () => {
    const { push, kinds } = run()
    for (const nal of [sps, pps, idr]) push(0, nal === idr, nal)
    push(3000, true, slice)
    push(6000, true, idr)
    expect(kinds()).toEqual(['7 8 5', '1', '7 8 5'])
  })

  it('no marker bits: a picture ends where the timestamp changes', () => {
    const { push, kinds } = run()
    for (const nal of [sps, pps, idr]) push(0, false, nal)
    push(3000, false, slice)
    push(3000, false, second)
    push(6000, false, slice)
    expect(kinds()).toEqual(['7 8 5', '1 1'])
  })

  it('a marker on each slice: learned after one torn picture', () => {
    const { push, pictures, assembler } = run()
    for (const nal of [sps, pps, idr]) push(0, nal === idr, nal)
    for (let time = 3000; time <= 15_000; time += 3000) {
      push(time, true, slice)
      push(time, true, second)
    }
    expect(pictures.slice(2).map((picture) => picture.data.length)).toEqual([2, 2, 2])
    expect(assembler.torn).toBe(1)
  })

  it('a timestamp of their own for parameter sets, a jump at the IDR', () => {
    const { push, pictures, kinds } = run()
    push(1000, false, sps)
    push(1000, true, pps)
    push(90_000, true, idr)
    expect(kinds()).toEqual(['7 8 5'])
    expect(pictures[0]!.timestamp).toBe(90_000)
  })

  it('nothing before the first keyframe that can be decoded', () => {
    const { push, kinds } = run()
    push(0, true, slice)
    push(3000, true, idr)
    for (const nal of [sps, pps, idr]) push(6000, nal === idr, nal)
    expect(kinds()).toEqual(['7 8 5'])
  })

  it('an all-intra picture with its own SPS where there is never an IDR', () => {
    const { push, pictures } = run()
    push(0, false, sps)
    push(0, false, pps)
    push(0, true, Uint8Array.of(0x41, 0xb0, 0x11)) // ue 0, ue 2 → bits 1 011: I
    expect(pictures[0]).toMatchObject({ keyframe: true })
  })

  it('a lost packet tears one picture and no other', () => {
    const { push, kinds, assembler } = run()
    for (const nal of [sps, pps, idr]) push(0, nal === idr, nal)
    push(3000, false, Uint8Array.of(0x7c, 0x81, 0x9a, 1, 2)) // FU-A start
    push(3000, true, Uint8Array.of(0x7c, 0x41, 3, 4), 1) // its end, with the middle lost
    push(6000, true, slice)
    push(9000, true, second, 1) // the first slice was lost
    push(12_000, true, slice)
    expect(kinds()).toEqual(['7 8 5', '1', '1'])
    expect(assembler.torn).toBe(2)
  })

  it('B-pictures: found where the stream may reorder, and marked', () => {
    const main = Uint8Array.from(Buffer.from('Z01AH5JUAwA2YC0IAAADAAgAAAMAoHjBlQ==', 'base64'))
    const { push, pictures } = run()
    push(0, false, main)
    push(0, false, pps)
    push(0, true, idr)
    push(9000, true, slice)
    push(3000, true, bSlice)
    expect(pictures.map(({ reference, bidirectional }) => ({ reference, bidirectional }))).toEqual([
      { reference: true, bidirectional: false },
      { reference: true, bidirectional: false },
      { reference: false, bidirectional: true },
    ])
  })
})
