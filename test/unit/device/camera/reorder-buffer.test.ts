import type { RtpPacket } from '@porchlight/proto/media/rtp.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxHeldPackets, maxHoldMs, ReorderBuffer } from '../../../../device/camera/reorder-buffer.ts'

function packet(sequence: number): RtpPacket {
  const payload = new Uint8Array(1)
  return { marker: false, payloadType: 96, sequence: sequence & 0xffff, timestamp: 0, ssrc: 1, extensions: [], payload }
}

function run() {
  const out: [sequence: number, lost: number][] = []
  const buffer = new ReorderBuffer((one, lost) => out.push([one.sequence, lost]))
  return { out, buffer, push: (sequence: number, ms = 0) => buffer.push(packet(sequence), ms) }
}

describe('ReorderBuffer', () => {
  it('puts packets in order, over a wrap, and drops doubles', () => {
    const { out, push, buffer } = run()
    for (const sequence of [65534, 0, 65535, 65535, 2, 1, 0]) push(sequence)
    expect(out).toEqual([65534, 65535, 0, 1, 2].map((sequence) => [sequence, 0]))
    expect(buffer.late).toBe(2)
  })

  it('gives a lost packet up after its time, and says so', () => {
    const { out, push, buffer } = run()
    push(1, 0)
    push(3, 10)
    push(4, 20)
    expect(out).toHaveLength(1)
    buffer.expire(10 + maxHoldMs)
    expect(out.slice(1)).toEqual([
      [3, 1],
      [4, 0],
    ])
    expect(buffer.lost).toBe(1)
    expect(buffer.waiting).toBe(false)
  })

  it('never holds more than its bound', () => {
    const { out, push } = run()
    push(0)
    for (let sequence = 2; sequence < maxHeldPackets + 4; sequence += 1) push(sequence)
    expect(out.length).toBeGreaterThan(1)
  })

  it('a new numbering is a new stream', () => {
    const { out, push } = run()
    push(10)
    push(40_000)
    push(40_001)
    expect(out).toEqual([
      [10, 0],
      [40_000, 1],
      [40_001, 0],
    ])
  })

  it('delivers in order and each once, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 200 }), (sequences) => {
        const { out, push, buffer } = run()
        for (const [index, sequence] of sequences.entries()) push(1000 + sequence, index * 10)
        buffer.expire(1e9)
        const delivered = out.map(([sequence]) => sequence)
        expect(delivered).toEqual([...new Set(delivered)].toSorted((a, b) => a - b))
        expect(out.reduce((sum, [, lost]) => sum + lost, 0)).toBe(buffer.lost)
      }),
    )
  })
})
