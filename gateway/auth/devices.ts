import type { KeyObject } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { checkDeviceToken, claimedDevice } from '@porchlight/proto/identity/device-token.ts'
import { parsePublicKey } from '@porchlight/proto/identity/keys.ts'
import { name as nameSchema, whipDevice } from '@porchlight/proto/ids.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Subject } from './subject.ts'

export interface DevicesOptions {
  db: Kysely<Schema>
  /** The gateway's public key: device tokens are bound to it. */
  gatewayKey: string
  /** ms since the Unix epoch */
  now: () => number
}

/** Names that stand for something else in topics, envelopes and credentials. */
const reservedNames = new Set(['gateway', whipDevice])

/**
 * Which devices are enrolled, with which key. Always asks the index, so that `gateway enroll` and `gateway revoke` work
 * beside a running gateway.
 */
export class Devices {
  readonly #options: DevicesOptions
  /** `device key`, of what was let in since `takeUsed`. */
  readonly #used = new Set<string>()

  constructor(options: DevicesOptions) {
    this.#options = options
  }

  /** The key of an enrolled device; undefined where there is none or it was revoked. */
  async key(device: string): Promise<KeyObject | undefined> {
    const row = await this.#options.db
      .selectFrom('devices')
      .select('public_key')
      .where('name', '=', device)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (!row) return undefined
    this.#used.add(`${device} ${row.public_key}`)
    return parsePublicKey(row.public_key)
  }

  /** Takes which keys (base64url) were given out for which devices since the last call: these may have something open. */
  takeUsed(): [device: string, publicKey: string][] {
    const used = [...this.#used].map((pair) => pair.split(' ') as [string, string])
    this.#used.clear()
    return used
  }

  /**
   * Who a device token belongs to.
   * @throws PorchlightError `signature_invalid` (forged, unknown or revoked device) or `message_expired`
   */
  async check(token: string): Promise<Extract<Subject, { kind: 'device' }>> {
    const claimed = claimedDevice(token)
    const key = claimed === undefined ? undefined : await this.key(claimed)
    if (!key) throw new PorchlightError('signature_invalid')
    return { kind: 'device', device: checkDeviceToken(token, this.#options.gatewayKey, key, this.#options.now()) }
  }

  /**
   * @param publicKey base64url of the device's Ed25519 key
   * @throws PorchlightError `enrolment_invalid` (name or key), `device_exists` where another key holds the name
   */
  async enrol(device: string, publicKey: string): Promise<void> {
    const { db, now } = this.#options
    if (!nameSchema.safeParse(device).success || reservedNames.has(device)) {
      throw new PorchlightError('enrolment_invalid', 'a device name is lower-case letters, digits and hyphens, 1 to 32')
    }
    parsePublicKey(publicKey)
    const known = await db.selectFrom('devices').selectAll().where('name', '=', device).executeTakeFirst()
    if (known && known.revoked_at === null && known.public_key !== publicKey) {
      throw new PorchlightError('device_exists', `revoke it first: gateway revoke ${device}`)
    }
    const row = { public_key: publicKey, enrolled_at: now(), revoked_at: null }
    await db
      .insertInto('devices')
      .values({ name: device, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute()
  }

  /** The device gets no new connection and no upload from now on. @throws PorchlightError `device_not_found` */
  async revoke(device: string): Promise<void> {
    const { db, now } = this.#options
    const result = await db
      .updateTable('devices')
      .set({ revoked_at: now() })
      .where('name', '=', device)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (result.numUpdatedRows === 0n) throw new PorchlightError('device_not_found', device)
  }

  /** All that were ever enrolled, by name. */
  list(): Promise<Schema['devices'][]> {
    return this.#options.db.selectFrom('devices').selectAll().orderBy('name').execute()
  }
}
