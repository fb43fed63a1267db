import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RtspRequest } from './messages.ts'

export type AuthScheme = 'basic' | 'digest-md5' | 'digest-sha256'

export interface AuthOptions {
  user: string
  password: string
  /** Offered in this order; the default is Digest with MD5. */
  schemes?: readonly AuthScheme[]
  /** Offer `qop="auth"` (RFC 7616); without it the older form of RFC 2069. Default true. */
  qop?: boolean
  /** A nonce serves so many requests, then the answer is 401 with `stale=true`. Default: for ever. */
  nonceUses?: number
}

const realm = 'Porchlight simulated camera'

/** Checks the requests of one connection. */
export class Authenticator {
  readonly #options: AuthOptions | undefined
  #nonce = randomBytes(16).toString('hex')
  #uses = 0

  constructor(options: AuthOptions | undefined) {
    this.#options = options
  }

  /** Undefined where the request may pass, else the values of `WWW-Authenticate`. */
  challenge(request: RtspRequest): string[] | undefined {
    const options = this.#options
    if (options === undefined) return undefined
    const given = request.headers.get('authorization')
    const right = given !== undefined && this.#isRight(given, request.method, options)
    if (right && this.#uses < (options.nonceUses ?? Number.POSITIVE_INFINITY)) {
      this.#uses += 1
      return undefined
    }
    if (right) {
      this.#nonce = randomBytes(16).toString('hex')
      this.#uses = 0
    }
    return (options.schemes ?? ['digest-md5']).map((scheme) => {
      if (scheme === 'basic') return `Basic realm="${realm}"`
      const parts = [`Digest realm="${realm}"`, `nonce="${this.#nonce}"`]
      if (scheme === 'digest-sha256') parts.push('algorithm=SHA-256')
      if (options.qop !== false) parts.push('qop="auth"')
      if (right) parts.push('stale=true')
      return parts.join(', ')
    })
  }

  #isRight(given: string, method: string, { user, password, schemes = ['digest-md5'], qop }: AuthOptions): boolean {
    if (/^basic /i.test(given)) {
      return (
        schemes.includes('basic') && same(given.slice(6).trim(), Buffer.from(`${user}:${password}`).toString('base64'))
      )
    }
    const fields = new Map(
      [...given.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map((match) => [
        match[1]!.toLowerCase(),
        match[2] ?? match[3]!,
      ]),
    )
    const algorithm = (fields.get('algorithm') ?? 'MD5').toUpperCase()
    if (!schemes.includes(algorithm === 'SHA-256' ? 'digest-sha256' : 'digest-md5')) return false
    const hash = (text: string) =>
      createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(text)
        .digest('hex')
    const nonce = fields.get('nonce') ?? ''
    if (nonce !== this.#nonce || fields.get('username') !== user) return false
    if (qop !== false && fields.get('qop') !== 'auth') return false
    // RFC 7616 §3.4.1; without qop RFC 2069 §2.4
    const middle = fields.has('qop')
      ? `${nonce}:${fields.get('nc')}:${fields.get('cnonce')}:${fields.get('qop')}`
      : nonce
    const secret = hash(`${user}:${realm}:${password}`)
    return same(fields.get('response') ?? '', hash(`${secret}:${middle}:${hash(`${method}:${fields.get('uri')}`)}`))
  }
}

function same(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
