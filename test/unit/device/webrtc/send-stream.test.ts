import { msFromNtp, parseRtp } from '@porchlight/proto/media/rtp.ts'
import { maxRtpBytes, readAbsCaptureTime, readFrameNumber } from '@porchlight/proto/media/rtp-extensions.ts'
import { describe, expect, test } from 'vitest'
import { SendStream } from '../../../../device/webrtc/send-stream.ts'
import { SentPackets } from '../../../../device/webrtc/sent-packets.ts'
import { pictures, sound } from '../frames.ts'

const stream = (clockRate = 90_000) =>
  new SendStream({ ssrc: 7, payloadType: 96, clockRate, kept: 64, random: () => 0.999 })

describe('outgoing stream', () => {
  test('a picture becomes packets that fit, numbered, timed, the last one marked', () => {
    const out = stream()
    const startMs = 1_763_600_000_000.25
    const units = pictures({ count: 2, bytes: 5_000, startMs })
    units.forEach((unit) => {
      unit.data = [Uint8Array.of(0x65, ...unit.data[0]!)]
    })
    const packets = units.map((unit) => out.video(unit))
    for (const [index, list] of packets.entries()) {
      for (const [at, bytes] of list.entries()) {
        out.leaves(bytes, 65_530 + index * 10 + at, 0)
        expect(bytes.length).toBeLessThanOrEqual(maxRtpBytes)
        const packet = parseRtp(bytes)!
        expect(readFrameNumber(packet.extensions)).toBe(index)
        const captured = readAbsCaptureTime(packet.extensions)
        if (at === 0) expect(captured).toBeCloseTo(units[index]!.captureMs, 2)
        else expect(captured).toBeUndefined()
        expect(packet.marker).toBe(at === list.length - 1)
        expect(packet.payload.length).toBeGreaterThan(0)
      }
    }
    const [first, second] = packets.map((list) => parseRtp(list[0]!)!)
    expect((second!.timestamp - first!.timestamp) >>> 0).toBe(3_600)
    const sequences = packets.flat().map((bytes) => parseRtp(bytes)!.sequence)
    expect(sequences).toEqual(sequences.map((_, index) => (sequences[0]! + index) & 0xffff))
  })

  test('sound goes on by its samples over jitter, and steps after a hole', () => {
    const out = stream(8_000)
    const frames = sound(4)
    frames[1]!.captureMs += 3
    frames[2]!.captureMs -= 2
    frames[3]!.captureMs += 500
    const packets = frames.map((frame) => parseRtp(out.audio(frame))!)
    expect(packets.map((packet) => (packet.timestamp - packets[0]!.timestamp) >>> 0)).toEqual([0, 160, 320, 4_480])
    expect(packets.map((packet) => packet.marker)).toEqual([true, false, false, true])
  })

  test('a sender report ties the capture clock to the timestamps', () => {
    const out = stream()
    expect(out.senderReport(0)).toBeUndefined()
    const [unit] = pictures({ count: 1, startMs: 1_763_600_000_000 })
    const packets = out.video(unit!)
    const { timestamp } = parseRtp(packets[0]!)!
    for (const packet of packets) out.leaves(packet, 1, 0)
    const report = out.senderReport(1_763_600_000_500)
    expect(report).toMatchObject({ type: 'sr', ssrc: 7, rtp: (timestamp + 45_000) >>> 0, packets: packets.length })
    expect(report?.type === 'sr' && msFromNtp(report.ntp)).toBeCloseTo(1_763_600_000_500, 2)
  })

  test('repeats what was sent, not what was never sent, and not twice within a round trip', () => {
    const out = stream()
    const packets = out.video(pictures({ count: 1, bytes: 4_000 })[0]!)
    for (const [index, packet] of packets.entries()) out.leaves(packet, index, 0)
    const { sequence } = parseRtp(packets[1]!)!
    expect(out.repeats([sequence, (sequence + 500) & 0xffff], 100)).toEqual([packets[1]])
    expect(out.repeats([sequence], 105)).toEqual([])
    expect(out.repeats([sequence], 130)).toEqual([packets[1]])
    expect(out.repeated).toBe(2)
  })

  test('a repetition is the same to the last byte, its transport-wide number too', () => {
    const out = stream()
    const packets = out.video(pictures({ count: 1, bytes: 4_000 })[0]!)
    for (const [index, packet] of packets.entries()) out.leaves(packet, 300 + index, 0)
    const asSent = packets[1]!.slice()
    for (const now of [100, 200]) {
      const [again] = out.repeats([parseRtp(asSent)!.sequence], now)
      expect(out.leavesAgain(again!)).toBe(301)
      expect(again).toEqual(asSent)
    }
  })
})

describe('kept packets', () => {
  test('the oldest gives way, over a wrap of the sequence numbers', () => {
    const kept = new SentPackets(4)
    const numbers = [65_534, 65_535, 0, 1, 2]
    for (const number of numbers) kept.add(number, Uint8Array.of(number), 0)
    expect(kept.again(65_534, 1_000, 10)).toBeUndefined()
    expect(kept.again(65_535, 1_000, 10)).toEqual(Uint8Array.of(65_535))
    expect(kept.again(2, 1_000, 10)).toEqual(Uint8Array.of(2))
  })

  test('its size is a power of two', () => {
    expect(() => new SentPackets(100)).toThrow(RangeError)
  })
})
