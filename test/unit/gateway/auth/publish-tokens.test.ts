import { generateIdentity } from '@porchlight/proto/identity/keys.ts'
import { describe, expect, it } from 'vitest'
import { Devices } from '../../../../gateway/auth/devices.ts'
import { PublishTokens } from '../../../../gateway/auth/publish-tokens.ts'
import { may } from '../../../../gateway/auth/subject.ts'
import { memoryIndex } from '../../../support/memory-index.ts'

async function setUp() {
  const db = await memoryIndex()
  const now = () => 1_000_000
  return { db, tokens: new PublishTokens({ db, now }) }
}

describe('PublishTokens', () => {
  it('makes a camera and its token, which is bound to it and stored as a hash', async () => {
    const { db, tokens } = await setUp()
    const { token, camera } = await tokens.make('studio', 'The studio')
    expect(camera).toBe('whip.studio')
    const subject = (await tokens.check(token))!
    expect(may(subject, 'publish', 'whip.studio')).toBe(true)
    expect(may(subject, 'publish', 'whip.other')).toBe(false)
    for (const action of ['view', 'talk', 'manage', 'deliver'] as const) {
      expect(may(subject, action, 'whip.studio')).toBe(false)
    }
    const { credential } = subject
    expect(credential.expiresAt).toBe(Number.POSITIVE_INFINITY)
    expect(await tokens.list()).toEqual([{ id: 'whip.studio', title: 'The studio', credential: credential.id }])
    expect(JSON.stringify(await db.selectFrom('publish_tokens').selectAll().execute())).not.toContain(token)
  })

  it('puts a new token in the place of the old, and keeps the title unless a new one is given', async () => {
    const { tokens } = await setUp()
    const { token: old } = await tokens.make('studio', 'The studio')
    const { token } = await tokens.make('studio')
    expect(await tokens.check(old)).toBeUndefined()
    expect(await tokens.check(token)).toMatchObject({ camera: 'whip.studio' })
    expect(await tokens.list()).toMatchObject([{ title: 'The studio' }])
    await tokens.make('studio', 'Shed')
    expect(await tokens.list()).toMatchObject([{ title: 'Shed' }])
    await tokens.make('garden')
    expect((await tokens.list()).map(({ title }) => title)).toEqual(['garden', 'Shed'])
  })

  it('takes one back, once', async () => {
    const { tokens } = await setUp()
    const { token } = await tokens.make('studio')
    await tokens.revoke('studio')
    expect(await tokens.check(token)).toBeUndefined()
    expect(await tokens.list()).toEqual([])
    await expect(tokens.revoke('studio')).rejects.toMatchObject({ code: 'camera_not_found' })
  })

  it.each(['', 'Studio', 'a.b', '-x', 'x'.repeat(33)])('refuses the name %j', async (name) => {
    const { tokens } = await setUp()
    await expect(tokens.make(name)).rejects.toMatchObject({ code: 'request_invalid' })
  })

  it('refuses a title that is none, and more cameras than the house can hold', async () => {
    const { tokens } = await setUp()
    for (const title of ['', 'x'.repeat(65)]) {
      await expect(tokens.make('studio', title)).rejects.toMatchObject({ code: 'request_invalid' })
    }
    for (let number = 0; number < 64; number++) await tokens.make(`camera-${number}`)
    await expect(tokens.make('one-more')).rejects.toMatchObject({ code: 'request_invalid' })
    await tokens.make('camera-0')
  })

  it('does not share its ids with a device', async () => {
    const { db, tokens } = await setUp()
    const devices = new Devices({ db, gatewayKey: generateIdentity().publicKey, now: () => 0 })
    const { publicKey } = generateIdentity()
    await expect(devices.enrol('whip', publicKey)).rejects.toMatchObject({ code: 'enrolment_invalid' })
    // As an earlier Porchlight would have let it in.
    await db
      .insertInto('devices')
      .values({ name: 'whip', public_key: publicKey, enrolled_at: 0, revoked_at: null })
      .execute()
    await expect(tokens.make('studio')).rejects.toMatchObject({ code: 'device_exists' })
    await devices.revoke('whip')
    await tokens.make('studio')
  })

  it.each(['', 'x', 'x'.repeat(43), `${'x'.repeat(42)}'`])('knows nobody by %j', async (token) => {
    const { tokens } = await setUp()
    expect(await tokens.check(token)).toBeUndefined()
  })
})
