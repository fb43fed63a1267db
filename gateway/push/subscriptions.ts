import { isIP } from 'node:net'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Schema } from '../store/schema.ts'

/** A browser's PushSubscription as JSON (Push API §8.3; keys: RFC 8291 §3.1: a P-256 point and 16 bytes, base64url). */
export const pushSubscription = z.object({
  endpoint: z.url({ protocol: /^https?$/ }).max(2_048),
  expirationTime: z.number().nullable().optional(),
  keys: z.object({
    p256dh: z.string().regex(/^[A-Za-z0-9_-]{87}=?$/),
    auth: z.string().regex(/^[A-Za-z0-9_-]{22}(?:==)?$/),
  }),
})

export type PushSubscriptionJson = z.infer<typeof pushSubscription>
export interface StoredSubscription {
  endpoint: string
  keys: { p256dh: string; auth: string }
}

/** Not more browsers per user than this; the oldest make room. */
const maxPerUser = 32

/** Which browsers are to be woken. */
export class PushSubscriptions {
  readonly #db: Kysely<Schema>
  readonly #now: () => number
  readonly #allowInsecure: boolean

  /** @param options.allowInsecure also takes `http:` and bare addresses, for tests with a push service of their own */
  constructor(options: { db: Kysely<Schema>; now: () => number; allowInsecure: boolean }) {
    this.#db = options.db
    this.#now = options.now
    this.#allowInsecure = options.allowInsecure
  }

  /** Idempotent. @throws PorchlightError `push_invalid` */
  async add(userId: string, subscription: PushSubscriptionJson): Promise<void> {
    const url = new URL(subscription.endpoint)
    // The gateway will send requests there: names only, so that nobody points it at an address inside the house.
    if (!this.#allowInsecure && (url.protocol !== 'https:' || isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0)) {
      throw new PorchlightError('push_invalid', 'the endpoint must be https at a named host')
    }
    const row = { user_id: userId, keys_json: JSON.stringify(subscription.keys), created_at: this.#now() }
    await this.#db
      .insertInto('push_subscriptions')
      .values({ endpoint: subscription.endpoint, ...row })
      .onConflict((conflict) => conflict.column('endpoint').doUpdateSet(row))
      .execute()
    const surplus = await this.#db
      .selectFrom('push_subscriptions')
      .select('endpoint')
      .where('user_id', '=', userId)
      .orderBy('created_at', 'desc')
      .limit(maxPerUser)
      .offset(maxPerUser)
      .execute()
    for (const { endpoint } of surplus) await this.remove(endpoint)
  }

  /** Idempotent. @param userId only where it is this user's */
  async remove(endpoint: string, userId?: string): Promise<void> {
    let query = this.#db.deleteFrom('push_subscriptions').where('endpoint', '=', endpoint)
    if (userId !== undefined) query = query.where('user_id', '=', userId)
    await query.execute()
  }

  async all(): Promise<StoredSubscription[]> {
    const rows = await this.#db.selectFrom('push_subscriptions').select(['endpoint', 'keys_json']).execute()
    return rows.map((row) => ({
      endpoint: row.endpoint,
      keys: JSON.parse(row.keys_json) as StoredSubscription['keys'],
    }))
  }
}
