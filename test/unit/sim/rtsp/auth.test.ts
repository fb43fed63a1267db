import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Authenticator, type AuthOptions } from '../../../sim/rtsp/auth.ts'
import type { RtspRequest } from '../../../sim/rtsp/messages.ts'

const account = { user: 'bob', password: 'secret' }
const url = 'rtsp://host/main'

function request(authorization?: string): RtspRequest {
  const headers = new Map(authorization === undefined ? [] : [['authorization', authorization]])
  return { kind: 'request', method: 'DESCRIBE', url, headers, body: '' }
}

/** Answers a challenge by the book (RFC 7616 §3.4). */
function answer(challenge: string, password = account.password): string {
  const field = (name: string) => new RegExp(`${name}="?([^",]+)`).exec(challenge)?.[1] ?? ''
  const name = field('algorithm') || 'MD5'
  const hash = (text: string) =>
    createHash(name === 'SHA-256' ? 'sha256' : 'md5')
      .update(text)
      .digest('hex')
  const secret = hash(`${account.user}:${field('realm')}:${password}`)
  const action = hash(`DESCRIBE:${url}`)
  const common = `Digest username="bob", realm="${field('realm')}", nonce="${field('nonce')}", uri="${url}", algorithm=${name}`
  if (!challenge.includes('qop=')) return `${common}, response="${hash(`${secret}:${field('nonce')}:${action}`)}"`
  const response = hash(`${secret}:${field('nonce')}:00000001:abc:auth:${action}`)
  return `${common}, qop=auth, nc=00000001, cnonce="abc", response="${response}"`
}

const challengeOf = (options: AuthOptions) => {
  const authenticator = new Authenticator(options)
  return { authenticator, challenge: authenticator.challenge(request())![0]! }
}

describe('authentication', () => {
  test.each<AuthOptions>([
    { ...account },
    { ...account, qop: false },
    { ...account, schemes: ['digest-sha256'] },
    { ...account, schemes: ['digest-sha256'], qop: false },
  ])('the right password passes, a wrong one does not: %o', (options) => {
    const { authenticator, challenge } = challengeOf(options)
    expect(authenticator.challenge(request(answer(challenge)))).toBeUndefined()
    expect(authenticator.challenge(request(answer(challenge, 'guess')))).toHaveLength(1)
  })

  test('Basic passes only where it is offered', () => {
    const basic = `Basic ${Buffer.from('bob:secret').toString('base64')}`
    expect(new Authenticator({ ...account, schemes: ['basic'] }).challenge(request(basic))).toBeUndefined()
    expect(new Authenticator(account).challenge(request(basic))).toHaveLength(1)
  })

  test('a used-up nonce is stale, and its successor works', () => {
    const { authenticator, challenge } = challengeOf({ ...account, nonceUses: 1 })
    expect(challenge).not.toMatch(/stale/)
    expect(authenticator.challenge(request(answer(challenge)))).toBeUndefined()
    const next = authenticator.challenge(request(answer(challenge)))![0]!
    expect(next).toMatch(/stale=true/)
    expect(authenticator.challenge(request(answer(next)))).toBeUndefined()
  })

  test('without an account everybody passes', () => {
    expect(new Authenticator(undefined).challenge(request())).toBeUndefined()
  })
})
