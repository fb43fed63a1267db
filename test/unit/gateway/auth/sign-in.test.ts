import { describe, expect, it } from 'vitest'
import { SignIn } from '../../../../gateway/auth/sign-in.ts'
import { memoryIndex } from '../../../support/memory-index.ts'

async function setUp() {
  const db = await memoryIndex()
  const clock = { now: 1_000_000 }
  const signIn = new SignIn({ db, now: () => clock.now, linkMs: 60_000, sessionMs: 600_000 })
  const { userId } = await signIn.ensureOwner()
  return { db, clock, signIn, userId }
}

const refused = expect.objectContaining({ code: 'sign_in_link_invalid' })

describe('SignIn', () => {
  it('makes one owner, once', async () => {
    const { signIn, userId } = await setUp()
    expect(await signIn.ensureOwner()).toEqual({ userId, signedInBefore: false })
    const { token } = await signIn.makeLink(userId)
    await signIn.redeem(token, 'x')
    expect(await signIn.ensureOwner()).toEqual({ userId, signedInBefore: true })
  })

  it('trades a link for a session, once', async () => {
    const { signIn, userId, clock } = await setUp()
    const { token, expiresAt } = await signIn.makeLink(userId)
    expect(expiresAt).toBe(clock.now + 60_000)
    const { cookie, session } = await signIn.redeem(token, 'browser')
    const credential = { id: session.id, expiresAt: clock.now + 600_000 }
    expect(session.subject).toEqual({ kind: 'user', userId, name: 'owner', role: 'owner', credential })
    expect(await signIn.session(cookie)).toEqual(session)
    await expect(signIn.redeem(token, 'browser')).rejects.toEqual(refused)
  })

  it('lets one in of two who try at once', async () => {
    const { signIn, userId } = await setUp()
    const { token } = await signIn.makeLink(userId)
    const results = await Promise.allSettled([1, 2, 3].map(() => signIn.redeem(token, 'x')))
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
  })

  it('refuses links that are too old, and texts that are none', async () => {
    const { signIn, userId, clock } = await setUp()
    const { token } = await signIn.makeLink(userId)
    clock.now += 60_000
    await expect(signIn.redeem(token, 'x')).rejects.toEqual(refused)
    for (const text of ['', 'x', "' or 1=1 --", 'A'.repeat(43)]) {
      await expect(signIn.redeem(text, 'x')).rejects.toEqual(refused)
    }
  })

  it('ends sessions by time and by sign-out, and tells', async () => {
    const { signIn, userId, clock } = await setUp()
    const one = await signIn.redeem((await signIn.makeLink(userId)).token, 'x')
    const two = await signIn.redeem((await signIn.makeLink(userId)).token, 'x')
    const ended: string[] = []
    signIn.onEnd((id) => ended.push(id))
    await signIn.signOut(one.session.id)
    expect(ended).toEqual([one.session.id])
    expect(await signIn.session(one.cookie)).toBeUndefined()
    expect(await signIn.session(two.cookie)).toBeDefined()
    clock.now += 600_000
    expect(await signIn.session(two.cookie)).toBeUndefined()
  })

  it('keeps only hashes', async () => {
    const { signIn, userId, db } = await setUp()
    const { token } = await signIn.makeLink(userId)
    const { cookie } = await signIn.redeem(token, 'x')
    const access = await signIn.makeToken('script', ['porch.door'], 1_000)
    const tables = [
      await db.selectFrom('sign_in_links').selectAll().execute(),
      await db.selectFrom('sessions').selectAll().execute(),
      await db.selectFrom('access_tokens').selectAll().execute(),
    ]
    const text = JSON.stringify(tables)
    for (const secret of [token, cookie, access.token]) expect(text).not.toContain(secret)
  })

  it('bounds sessions: the oldest makes room', async () => {
    const { signIn, userId, clock } = await setUp()
    const cookies: string[] = []
    for (let index = 0; index < 66; index++) {
      clock.now += 1
      cookies.push((await signIn.redeem((await signIn.makeLink(userId)).token, 'x')).cookie)
    }
    expect(await signIn.session(cookies[1] ?? '')).toBeUndefined()
    expect(await signIn.session(cookies[2] ?? '')).toBeDefined()
  })

  it('gives access tokens for cameras, with an end', async () => {
    const { signIn, clock } = await setUp()
    const { token, expiresAt } = await signIn.makeToken('script', ['porch.door'], 1_000)
    const credential = { id: expect.any(String), expiresAt }
    expect(await signIn.token(token)).toEqual({ kind: 'token', name: 'script', cameras: ['porch.door'], credential })
    expect(await signIn.token('A'.repeat(43))).toBeUndefined()
    clock.now += 1_000
    expect(await signIn.token(token)).toBeUndefined()
  })
})
