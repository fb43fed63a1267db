import { z } from 'zod'
import { PorchlightError } from '../errors.ts'
import { randomId } from '../ids.ts'

/** No message of ours is larger, in bytes (an offer with candidates is ~3 KB). */
export const maxMessageBytes = 64 * 1024

/** What every message carries: MQTT 3.1.1 has no properties, so what MQTT 5 would give stands here. */
export const envelope = z.object({
  v: z.literal(1),
  /** Message id; receivers drop one that they have seen. */
  id: randomId,
  /** Sender's clock at sending, ms since the Unix epoch. */
  ts: z.number().finite(),
  /** How long after `ts` the message is worth acting on, ms. Absent: for ever. */
  ttl: z.number().int().positive().max(86_400_000).optional(),
  /** The message this one answers. */
  re: randomId.optional(),
  /** Sender: a device name or `gateway`. */
  from: z.string().min(1).max(32),
})

export type Envelope = z.infer<typeof envelope>

/**
 * Parses one MQTT payload against its schema.
 * @throws PorchlightError `message_too_large` or `message_invalid`; never anything else.
 */
export function parseMessage<T extends z.ZodType>(schema: T, payload: Uint8Array): z.infer<T> {
  if (payload.byteLength > maxMessageBytes)
    throw new PorchlightError('message_too_large', `${payload.byteLength} bytes`)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch (cause) {
    throw new PorchlightError('message_invalid', 'not JSON', { cause })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]
  throw new PorchlightError('message_invalid', `${first?.path.join('.') || 'message'}: ${first?.message}`)
}

/** Whether a message has outlived its `ttl` at `now` (ms). Clock skew between the two sides up to `skewMs` is forgiven. */
export function isExpired(message: Envelope, now: number, skewMs = 2_000): boolean {
  return message.ttl !== undefined && now - message.ts > message.ttl + skewMs
}
