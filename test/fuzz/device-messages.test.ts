import { PorchlightError } from '@porchlight/proto/errors.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readPublication } from '../../gateway/broker/edge.ts'
import { PacketScanner } from '../../gateway/broker/packet-scanner.ts'
import { SeenIds } from '../../gateway/broker/seen-ids.ts'

const topics = ['presence', 'cameras', 'event', 'signal/up', 'command', ''].map((suffix) => `pl/v1/d/porch/${suffix}`)

/** Either something is read, or a coded error says why not; never anything else. */
function survives(topic: string, payload: Uint8Array): void {
  try {
    readPublication(topic, payload, () => new SeenIds(4), 0)
  } catch (error) {
    expect(error).toBeInstanceOf(PorchlightError)
    expect((error as PorchlightError).code).toMatch(/^message_/)
  }
}

describe('messages of devices', () => {
  it('survives any bytes', () => {
    fc.assert(fc.property(fc.constantFrom(...topics), fc.uint8Array({ maxLength: 2_000 }), survives), { numRuns: 500 })
  })

  it('survives any JSON', () => {
    fc.assert(
      fc.property(fc.constantFrom(...topics), fc.json(), (topic, json) => survives(topic, Buffer.from(json))),
      { numRuns: 500 },
    )
  })

  it('survives messages that nearly fit', () => {
    const nearly = fc.record(
      {
        v: fc.constantFrom(1, 2, '1'),
        id: fc.oneof(fc.constant('message-1'), fc.string()),
        ts: fc.oneof(fc.double(), fc.constant(0)),
        ttl: fc.oneof(fc.integer(), fc.constant(10_000)),
        from: fc.constantFrom('porch', 'garden', '__proto__'),
        type: fc.constantFrom('presence', 'cameras', 'event', 'offer', 'confirm', 'bye', 'candidates'),
        online: fc.boolean(),
        bootId: fc.constantFrom('boot-1234', ''),
        epoch: fc.oneof(fc.nat(), fc.double()),
        version: fc.string(),
        eventId: fc.constantFrom('event-123', '../../etc'),
        camera: fc.constantFrom('door', 'Door', '#', '__proto__'),
        kind: fc.constantFrom('ring', 'motion', 'fire'),
        phase: fc.constantFrom('begin', 'end', 'x'),
        at: fc.oneof(fc.double(), fc.constant(0)),
        cameras: fc.array(fc.anything(), { maxLength: 3 }),
        session: fc.string(),
        seq: fc.integer(),
        offer: fc.anything(),
      },
      { requiredKeys: ['v', 'type'] },
    )
    fc.assert(
      fc.property(fc.constantFrom(...topics), nearly, (topic, message) =>
        survives(topic, Buffer.from(JSON.stringify(message))),
      ),
      { numRuns: 1_000 },
    )
  })

  it('survives any topic', () => {
    fc.assert(fc.property(fc.string(), (topic) => survives(topic, Buffer.from('{}'))))
  })
})

describe('PacketScanner', () => {
  it('finds the same borders however the bytes are cut', () => {
    const packet = fc.tuple(fc.constantFrom(0x30, 0x82, 0xc0), fc.uint8Array({ maxLength: 300 }))
    fc.assert(
      fc.property(
        fc.array(packet, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (packets, cuts) => {
          const bytes = Buffer.concat([Buffer.from([0x10, 0]), ...packets.map(([type, body]) => encode(type, body))])
          const scanner = new PacketScanner(100, 1_000)
          let found = 0
          let start = 0
          for (let cut = 0; start < bytes.length; cut++) {
            const piece = bytes.subarray(start, start + (cuts[cut % cuts.length] ?? 1))
            start += piece.length
            for (let at = 0; at < piece.length; ) {
              const step = scanner.scan(piece, at)
              if (typeof step === 'string') throw new Error(step)
              at = step.end
              if (step.complete) found += 1
            }
          }
          expect(found).toBe(packets.length + 1)
        },
      ),
    )
  })

  it('never runs past the end and always comes to an end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const scanner = new PacketScanner(50, 50)
        for (let at = 0; at < bytes.length; ) {
          const step = scanner.scan(bytes, at)
          if (typeof step === 'string') return
          expect(step.end).toBeGreaterThan(at)
          expect(step.end).toBeLessThanOrEqual(bytes.length)
          at = step.end
        }
      }),
    )
  })
})

function encode(type: number, body: Uint8Array): Buffer {
  const length: number[] = []
  let left = body.length
  do {
    const byte = left % 128
    left = Math.floor(left / 128)
    length.push(left > 0 ? byte | 0x80 : byte)
  } while (left > 0)
  return Buffer.concat([Buffer.from([type, ...length]), body])
}
