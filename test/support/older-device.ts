import { randomUUID } from 'node:crypto'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { z } from 'zod'

/*
 * What a device says and understands that was installed before recording modes were (version 0.1.0). Written out, and never
 * brought up to date with proto/: devices stay as they are for years.
 */

const message = z.object({
  v: z.literal(1),
  id: z.string(),
  ts: z.number(),
  ttl: z.number().optional(),
  from: z.string(),
})

/** The commands it knows; of others it says that they are not valid, and goes on. */
export const olderCommand = z.discriminatedUnion('type', [
  message.extend({ type: z.literal('hello') }),
  message.extend({ type: z.literal('stream'), camera: z.string() }),
  message.extend({
    type: z.literal('relay'),
    urls: z.array(z.string()),
    username: z.string(),
    credential: z.string(),
    seconds: z.number(),
  }),
  message.extend({
    type: z.literal('footage'),
    camera: z.string(),
    bootId: z.string(),
    fromFrame: z.number(),
    toFrame: z.number(),
  }),
])

/** Topics and texts of what it publishes. */
export class OlderDevice {
  readonly #name: string
  readonly #bootId = 'boot-older-1'

  constructor(name: string) {
    this.#name = name
  }

  get commands(): string {
    return `pl/v1/d/${this.#name}/command`
  }

  presence(online: boolean) {
    return this.#publication('presence', {
      type: 'presence',
      online,
      bootId: this.#bootId,
      epoch: 7,
      version: '0.1.0',
    })
  }

  cameras() {
    return this.#publication('cameras', {
      type: 'cameras',
      bootId: this.#bootId,
      cameras: [
        {
          camera: 'door',
          title: 'Old door',
          kind: 'doorbell',
          state: 'live',
          video: { codec: 'h264', width: 320, height: 240 },
          audio: 'pcmu',
          talk: 'pcmu',
          motion: 'on',
          notes: ['camera_bframes'],
        },
      ],
    })
  }

  event(kind: 'ring' | 'motion', phase: 'begin' | 'active' | 'end', eventId: string, at: number) {
    return this.#publication('event', {
      type: 'event',
      eventId,
      camera: 'door',
      kind,
      phase,
      at,
      bootId: this.#bootId,
      frame: 12,
    })
  }

  /** Body of a delivery of H.264 pictures: `u8 type | u32 length | payload` each. */
  footage(units: readonly AccessUnit[]): Buffer {
    const record = (type: number, payload: Buffer) => {
      const head = Buffer.alloc(5)
      head.writeUInt8(type)
      head.writeUInt32BE(payload.length, 1)
      return [head, payload]
    }
    const header = JSON.stringify({ run: this.#bootId, video: { codec: 'h264', width: 320, height: 240 } })
    const pictures = units.flatMap(({ keyframe, reference, frame, captureMs, data }) => {
      const head = Buffer.alloc(16)
      head.writeUInt8((keyframe ? 1 : 0) | (reference ? 2 : 0), 1)
      head.writeUInt32BE(frame, 2)
      head.writeDoubleBE(captureMs, 6)
      head.writeUInt16BE(data.length, 14)
      const nals = data.flatMap((nal) => {
        const length = Buffer.alloc(4)
        length.writeUInt32BE(nal.length)
        return [length, nal]
      })
      return record(2, Buffer.concat([head, ...nals]))
    })
    return Buffer.concat([...record(1, Buffer.from(header)), ...pictures])
  }

  #publication(suffix: string, body: object): [topic: string, text: string, options: { qos: 1; retain: boolean }] {
    const envelope = { v: 1, id: randomUUID(), ts: Date.now(), from: this.#name }
    const text = JSON.stringify({ ...envelope, ...body })
    return [`pl/v1/d/${this.#name}/${suffix}`, text, { qos: 1, retain: suffix !== 'event' }]
  }
}
