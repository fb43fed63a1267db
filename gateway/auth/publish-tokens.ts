import { PorchlightError } from '@porchlight/proto/errors.ts'
import { name as nameSchema, splitCameraId, toCameraId, whipDevice } from '@porchlight/proto/ids.ts'
import type { Kysely } from 'kysely'
import { hashSecret, isSecret, newSecret } from '../identity/secrets.ts'
import type { Schema } from '../store/schema.ts'
import type { Subject } from './subject.ts'

export type PublisherSubject = Extract<Subject, { kind: 'publisher' }>

/** A camera that publishes by WHIP. */
export interface PublishedCamera {
  /** `whip.{name}` */
  id: string
  /** What people call it. */
  title: string
  /** SHA-256 of its token: the credential's id. */
  credential: string
}

export interface PublishTokensOptions {
  db: Kysely<Schema>
  /** ms since the Unix epoch */
  now: () => number
}

/** Not more cameras than this publish by WHIP. */
const maxCameras = 64
const maxTitle = 64

/**
 * Who may publish by WHIP: one token per camera, stored as a hash, without an end. Always asks the index, so that
 * `gateway token` works beside a running gateway.
 */
export class PublishTokens {
  readonly #options: PublishTokensOptions

  constructor(options: PublishTokensOptions) {
    this.#options = options
  }

  /**
   * Makes a camera's token, and the camera where it is not there yet. A token that it had is good for nothing any more.
   * @param title what people call the camera; as it is, or the name where it is new
   * @returns the token, which is nowhere else
   * @throws PorchlightError `request_invalid` (name, title, too many), `device_exists` where a device has the ids' name
   */
  async make(name: string, title?: string): Promise<{ token: string; camera: string }> {
    const { db, now } = this.#options
    if (!nameSchema.safeParse(name).success)
      throw new PorchlightError('request_invalid', `${name}: lower-case letters, digits and hyphens, 1 to 32`)
    if (title !== undefined && (title === '' || title.length > maxTitle))
      throw new PorchlightError('request_invalid', `the name for people has 1 to ${maxTitle} characters`)
    const camera = toCameraId(whipDevice, name)
    const token = newSecret()
    const row = { hash: hashSecret(token), created_at: now(), ...(title !== undefined && { title }) }
    await db.transaction().execute(async (transaction) => {
      // One that was enrolled before the name was kept for this.
      const device = await transaction
        .selectFrom('devices')
        .select('name')
        .where('name', '=', whipDevice)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      if (device) throw new PorchlightError('device_exists', `revoke it first: gateway revoke ${whipDevice}`)
      const others = await transaction
        .selectFrom('publish_tokens')
        .select('camera')
        .where('camera', '!=', camera)
        .execute()
      if (others.length >= maxCameras) throw new PorchlightError('request_invalid', `${maxCameras} cameras at most`)
      await transaction
        .insertInto('publish_tokens')
        .values({ camera, title: name, ...row })
        .onConflict((conflict) => conflict.column('camera').doUpdateSet(row))
        .execute()
    })
    return { token, camera }
  }

  /** The camera is no more, and its token good for nothing. @throws PorchlightError `camera_not_found` */
  async revoke(name: string): Promise<void> {
    const result = await this.#options.db
      .deleteFrom('publish_tokens')
      .where('camera', '=', toCameraId(whipDevice, name))
      .executeTakeFirst()
    if (result.numDeletedRows === 0n) throw new PorchlightError('camera_not_found', name)
  }

  /** Whose token this is, where it is ours. */
  async check(token: string): Promise<PublisherSubject | undefined> {
    if (!isSecret(token)) return undefined
    const id = hashSecret(token)
    const row = await this.#options.db
      .selectFrom('publish_tokens')
      .select('camera')
      .where('hash', '=', id)
      .executeTakeFirst()
    return row && { kind: 'publisher', camera: row.camera, credential: { id, expiresAt: Number.POSITIVE_INFINITY } }
  }

  /** All there are, by id. */
  async list(): Promise<PublishedCamera[]> {
    const rows = await this.#options.db.selectFrom('publish_tokens').selectAll().orderBy('camera').execute()
    return rows.map(({ camera, title, hash }) => ({ id: camera, title, credential: hash }))
  }
}

/** Whether a camera publishes by itself: it has no device that could be asked for anything. */
export function isPublished(camera: string): boolean {
  return splitCameraId(camera).device === whipDevice
}
