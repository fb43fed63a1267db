import { createHash, randomBytes } from 'node:crypto'
import type { RtspHeaders } from './messages.ts'

export interface Credentials {
  user: string
  password: string
}

interface Challenge {
  scheme: 'basic' | 'digest'
  parameters: Map<string, string>
}

/**
 * Answers 401 challenges: Digest (RFC 2617, RFC 7616: MD5, SHA-256, their `-sess` forms, `qop=auth` or none) and Basic.
 * The first challenge that we can do wins. One for each connection.
 */
export class Authenticator {
  readonly #credentials: Credentials | undefined
  readonly #allowBasic: boolean
  readonly #makeNonce: () => string
  #challenge: Challenge | undefined
  #count = 0
  #accepted = false

  /**
   * @param allowBasic false where a redirect led to another host: Basic would tell that host the password
   * @param makeNonce client nonce, injected by tests
   */
  constructor(
    credentials: Credentials | undefined,
    allowBasic = true,
    makeNonce = () => randomBytes(8).toString('hex'),
  ) {
    this.#credentials = credentials
    this.#allowBasic = allowBasic
    this.#makeNonce = makeNonce
  }

  /** The `Authorization` value for a request; undefined before the first challenge. `uri` is that of the request line. */
  header(method: string, uri: string): string | undefined {
    const { user, password } = this.#credentials ?? {}
    if (this.#challenge === undefined || user === undefined || password === undefined) return undefined
    if (this.#challenge.scheme === 'basic') return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    return this.#digest(this.#challenge.parameters, { user, password }, method, uri)
  }

  /**
   * Takes the challenges of a 401.
   * @param answered whether the refused request carried our `Authorization`
   * @returns whether trying again can help: the first challenge, a stale nonce, or a new nonce after an old one was good
   */
  challenged(headers: RtspHeaders, answered: boolean): boolean {
    if (this.#credentials === undefined) return false
    const previous = this.#challenge
    const next = headers
      .all('www-authenticate')
      .flatMap(parseChallenges)
      .find((challenge) => this.#canDo(challenge))
    if (next === undefined) return false
    this.#challenge = next
    this.#count = 0
    if (!answered || previous === undefined) return true
    if (next.parameters.get('stale')?.toLowerCase() === 'true') return true
    const newNonce = next.parameters.get('nonce') !== previous.parameters.get('nonce')
    return next.scheme === 'digest' && newNonce && this.#accepted
  }

  /** A request with our `Authorization` went through: a later 401 is about the nonce, not the password. */
  accepted(): void {
    if (this.#challenge !== undefined) this.#accepted = true
  }

  #canDo(challenge: Challenge): boolean {
    if (challenge.scheme === 'basic') return this.#allowBasic
    const qop = challenge.parameters.get('qop')
    if (qop && !splitList(qop).includes('auth')) return false
    return challenge.parameters.has('nonce') && hashName(challenge.parameters.get('algorithm')) !== undefined
  }

  #digest(parameters: Map<string, string>, { user, password }: Credentials, method: string, uri: string): string {
    const algorithm = parameters.get('algorithm')
    const name = hashName(algorithm) ?? 'md5'
    const hash = (text: string) => createHash(name).update(text).digest('hex')
    const realm = parameters.get('realm') ?? ''
    const nonce = parameters.get('nonce') ?? ''
    const qop = splitList(parameters.get('qop') ?? '').includes('auth') ? 'auth' : undefined
    const session = /-sess$/i.test(algorithm ?? '')
    this.#count += 1
    const nc = this.#count.toString(16).padStart(8, '0')
    const cnonce = qop || session ? this.#makeNonce() : ''
    const secret = hash(`${user}:${realm}:${password}`)
    const ha1 = session ? hash(`${secret}:${nonce}:${cnonce}`) : secret
    const ha2 = hash(`${method}:${uri}`)
    const response = qop ? hash(`${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`) : hash(`${ha1}:${nonce}:${ha2}`)
    const parts = [
      `username="${user}"`,
      `realm="${realm}"`,
      `nonce="${nonce}"`,
      `uri="${uri}"`,
      `response="${response}"`,
    ]
    if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`)
    const opaque = parameters.get('opaque')
    if (opaque !== undefined) parts.push(`opaque="${opaque}"`)
    if (qop) parts.push(`qop=${qop}`, `nc=${nc}`)
    if (cnonce !== '') parts.push(`cnonce="${cnonce}"`)
    return `Digest ${parts.join(', ')}`
  }
}

function hashName(algorithm: string | undefined): 'md5' | 'sha256' | undefined {
  const name = (algorithm ?? 'MD5').toUpperCase().replace(/-SESS$/, '')
  if (name === 'MD5' || name === '') return 'md5'
  if (name === 'SHA-256' || name === 'SHA256') return 'sha256'
  return undefined
}

function splitList(text: string): string[] {
  return text.split(',').map((item) => item.trim().toLowerCase())
}

/** A header may hold several challenges: `Digest realm="a", nonce="b", Basic realm="a"`. */
export function parseChallenges(value: string): Challenge[] {
  const challenges: Challenge[] = []
  const pattern = /(?:^|,)\s*(basic|digest)(?=\s|$|,)|([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,]*))/gi
  for (const match of value.matchAll(pattern)) {
    if (match[1] !== undefined) {
      challenges.push({ scheme: match[1].toLowerCase() === 'basic' ? 'basic' : 'digest', parameters: new Map() })
    } else challenges.at(-1)?.parameters.set(match[2]!.toLowerCase(), match[3] ?? match[4] ?? '')
  }
  return challenges
}
