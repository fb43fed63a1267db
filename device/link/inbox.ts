import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { Envelope } from '@porchlight/proto/messages/envelope.ts'
import { isExpired, parseMessage } from '@porchlight/proto/messages/envelope.ts'
import type { z } from 'zod'

/** Ids remembered for finding repeats; a message lives at most 30 s, so this is minutes of heavy use. */
const remembered = 2_048

/** Checks what comes from the broker: schema, sender, age, repeats. What fails is counted by its code. */
export class Inbox {
  readonly #now: () => number
  readonly #seen = new Set<string>()
  /** Messages refused, by error code. */
  readonly refused = new Map<ErrorCode, number>()
  accepted = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * One message, checked.
   * @throws PorchlightError `message_too_large`, `message_invalid`, `message_foreign`, `message_expired`, `message_replayed`
   */
  take<T extends z.ZodType<Envelope>>(schema: T, payload: Uint8Array): z.infer<T> {
    try {
      const message = parseMessage(schema, payload)
      // Only the gateway writes on the topics that a device reads.
      if (message.from !== 'gateway') throw new PorchlightError('message_foreign', message.from)
      if (isExpired(message, this.#now())) throw new PorchlightError('message_expired')
      if (this.#seen.has(message.id)) throw new PorchlightError('message_replayed')
      this.#seen.add(message.id)
      if (this.#seen.size > remembered) this.#seen.delete(this.#seen.values().next().value!)
      this.accepted += 1
      return message
    } catch (error) {
      const code = error instanceof PorchlightError ? error.code : 'internal'
      this.refused.set(code, (this.refused.get(code) ?? 0) + 1)
      throw error
    }
  }
}
