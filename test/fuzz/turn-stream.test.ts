import type { PorchlightError } from '@porchlight/proto/errors.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TurnStream, toStream } from '../../device/webrtc/turn-stream.ts'

const body = (multiple: number) =>
  fc.uint8Array({ maxLength: 300 }).map((bytes) => bytes.subarray(0, bytes.length - (bytes.length % multiple)))

function framed(first: number, headerBytes: number, payload: Uint8Array): Buffer {
  const message = Buffer.alloc(headerBytes + payload.length)
  message[0] = first
  message.writeUInt16BE(payload.length, 2)
  message.set(payload, headerBytes)
  return message
}

const stun = body(4).map((payload) => framed(0x01, 20, payload))
const channelData = body(1).map((payload) => framed(0x40, 4, payload))

describe("a TURN server's stream", () => {
  it('comes apart into its messages, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(stun, channelData), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        (sent, step) => {
          const bytes = Buffer.concat(sent.map(toStream))
          const stream = new TurnStream()
          const received: Buffer[] = []
          for (let at = 0; at < bytes.length; at += step) received.push(...stream.push(bytes.subarray(at, at + step)))
          expect(received.map(String)).toEqual(sent.map(String))
          expect(stream.waiting).toBe(0)
        },
      ),
    )
  })

  it('survives any bytes and keeps no more than one message', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
        const stream = new TurnStream()
        try {
          for (const chunk of chunks) stream.push(chunk)
          expect(stream.waiting).toBeLessThan(0xffff + 20)
        } catch (error) {
          expect((error as PorchlightError).code).toBe('message_invalid')
        }
      }),
      { numRuns: 300 },
    )
  })
})
