import { randomUUID } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import { hashSecret, isSecret, newSecret } from '../identity/secrets.ts'
import type { Schema } from '../store/schema.ts'
import type { Credential, Subject } from './subject.ts'

export type UserSubject = Extract<Subject, { kind: 'user' }>
export type TokenSubject = Extract<Subject, { kind: 'token' }>

export interface SignInOptions {
  db: Kysely<Schema>
  /** ms since the Unix epoch */
  now: () => number
  /** Life of a one-time link, ms. */
  linkMs: number
  /** Life of a session since its sign-in, ms. */
  sessionMs: number
}

/** A session that a cookie stands for. */
export interface Session extends Credential {
  subject: UserSubject
}

/** Not more sessions per user than this; the oldest make room. */
const maxSessions = 64
/** Not more open links at a time. */
const maxLinks = 32

/** People's and scripts' access: one-time links, sessions by cookie, access tokens. Only hashes are stored. */
export class SignIn {
  readonly #options: SignInOptions
  readonly #endListeners = new Set<(sessionId: string) => void>()

  constructor(options: SignInOptions) {
    this.#options = options
  }

  /** Makes the owner at the first start. @returns the owner's id, and whether anybody has ever signed in */
  async ensureOwner(): Promise<{ userId: string; signedInBefore: boolean }> {
    const { db, now } = this.#options
    const owner = await db.selectFrom('users').select('id').where('role', '=', 'owner').executeTakeFirst()
    if (owner) {
      const session = await db.selectFrom('sessions').select('hash').where('expires_at', '>', now()).executeTakeFirst()
      return { userId: owner.id, signedInBefore: session !== undefined }
    }
    const userId = randomUUID()
    await db.insertInto('users').values({ id: userId, name: 'owner', role: 'owner', created_at: now() }).execute()
    return { userId, signedInBefore: false }
  }

  /** A new one-time link's token. It is shown once and stored as a hash. */
  async makeLink(userId: string): Promise<{ token: string; expiresAt: number }> {
    const { db, now, linkMs } = this.#options
    const token = newSecret()
    const expiresAt = now() + linkMs
    await db.deleteFrom('sign_in_links').where('expires_at', '<', now()).execute()
    const { open } = await db
      .selectFrom('sign_in_links')
      .select((eb) => eb.fn.countAll<number>().as('open'))
      .executeTakeFirstOrThrow()
    if (open >= maxLinks) await db.deleteFrom('sign_in_links').execute()
    await db
      .insertInto('sign_in_links')
      .values({ hash: hashSecret(token), user_id: userId, expires_at: expiresAt, used_at: null })
      .execute()
    return { token, expiresAt }
  }

  /**
   * Trades a link's token for a session. Of two who try the same link at once, one gets in.
   * @returns the cookie's value, which is nowhere else
   * @throws PorchlightError `sign_in_link_invalid`
   */
  async redeem(token: string, userAgent: string): Promise<{ cookie: string; session: Session }> {
    const { db, now, sessionMs } = this.#options
    if (!isSecret(token)) throw new PorchlightError('sign_in_link_invalid')
    const at = now()
    const link = await db
      .updateTable('sign_in_links')
      .set({ used_at: at })
      .where('hash', '=', hashSecret(token))
      .where('used_at', 'is', null)
      .where('expires_at', '>', at)
      .returning('user_id')
      .executeTakeFirst()
    if (!link) throw new PorchlightError('sign_in_link_invalid')
    const cookie = newSecret()
    await db
      .insertInto('sessions')
      .values({
        hash: hashSecret(cookie),
        user_id: link.user_id,
        created_at: at,
        expires_at: at + sessionMs,
        user_agent: userAgent.slice(0, 256),
      })
      .execute()
    await this.#dropOldest(link.user_id)
    const session = await this.session(cookie)
    if (!session) throw new PorchlightError('sign_in_link_invalid')
    return { cookie, session }
  }

  /** The session of a cookie, where it is ours and not expired. */
  async session(cookie: string): Promise<Session | undefined> {
    if (!isSecret(cookie)) return undefined
    const id = hashSecret(cookie)
    const row = await this.#options.db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(['users.id', 'users.name', 'users.role', 'sessions.expires_at'])
      .where('sessions.hash', '=', id)
      .where('sessions.expires_at', '>', this.#options.now())
      .executeTakeFirst()
    if (!row) return undefined
    const credential = { id, expiresAt: row.expires_at }
    return { ...credential, subject: { kind: 'user', userId: row.id, name: row.name, role: row.role, credential } }
  }

  /** Ends a session; what it keeps open (`/mqtt`, WHEP) is told. Idempotent. */
  async signOut(sessionId: string): Promise<void> {
    await this.#options.db.deleteFrom('sessions').where('hash', '=', sessionId).execute()
    for (const listener of this.#endListeners) listener(sessionId)
  }

  /** @returns a function that ends the listening */
  onEnd(listener: (sessionId: string) => void): () => void {
    this.#endListeners.add(listener)
    return () => this.#endListeners.delete(listener)
  }

  /** An access token for scripts: shown once, stored as a hash. @param ttlMs life in ms */
  async makeToken(
    name: string,
    cameras: readonly string[],
    ttlMs: number,
  ): Promise<{ token: string; expiresAt: number }> {
    const { db, now } = this.#options
    const token = newSecret()
    const expiresAt = now() + ttlMs
    await db.deleteFrom('access_tokens').where('expires_at', '<', now()).execute()
    await db
      .insertInto('access_tokens')
      .values({
        hash: hashSecret(token),
        name,
        cameras_json: JSON.stringify(cameras),
        created_at: now(),
        expires_at: expiresAt,
      })
      .execute()
    return { token, expiresAt }
  }

  /** Whose access token this is, where it is ours and not expired. */
  async token(token: string): Promise<TokenSubject | undefined> {
    if (!isSecret(token)) return undefined
    const id = hashSecret(token)
    const row = await this.#options.db
      .selectFrom('access_tokens')
      .select(['name', 'cameras_json', 'expires_at'])
      .where('hash', '=', id)
      .where('expires_at', '>', this.#options.now())
      .executeTakeFirst()
    if (!row) return undefined
    const credential = { id, expiresAt: row.expires_at }
    return { kind: 'token', name: row.name, cameras: JSON.parse(row.cameras_json) as string[], credential }
  }

  async #dropOldest(userId: string): Promise<void> {
    const { db, now } = this.#options
    await db.deleteFrom('sessions').where('expires_at', '<', now()).execute()
    const surplus = await db
      .selectFrom('sessions')
      .select('hash')
      .where('user_id', '=', userId)
      .orderBy('created_at', 'desc')
      .limit(maxSessions)
      .offset(maxSessions)
      .execute()
    for (const { hash } of surplus) await this.signOut(hash)
  }
}
