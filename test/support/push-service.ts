import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A push that came, decrypted. */
export interface ReceivedPush {
  payload: string
  headers: IncomingHttpHeaders
  /** Claims of the VAPID token, its signature checked. */
  vapid: { aud?: string; exp?: number; sub?: string }
  /** The sender's VAPID key, base64url. */
  publicKey: string
  receivedMs: number
}

export interface PushSubscriptionJson {
  endpoint: string
  expirationTime: null
  keys: { p256dh: string; auth: string }
}

export interface PushService extends AsyncDisposable {
  origin: string
  /** What a browser's `PushSubscription.toJSON()` gives. */
  subscription: PushSubscriptionJson
  /** Answers further pushes with this status (404 and 410: the subscription is gone). Default 201. */
  answerWith(status: number, headers?: Record<string, string>): void
  received: readonly ReceivedPush[]
  /** Pushes that could not be decrypted or whose VAPID token was wrong, with the reason. */
  refused: readonly string[]
  /** The n-th push (1 is the first), as soon as it is there. */
  push(count: number): Promise<ReceivedPush>
  close(): Promise<void>
}

/** Decrypts the one record of an aes128gcm body (RFC 8188 §2, keys by RFC 8291 §3.4). */
export function decryptPush(body: Buffer, privateKey: Buffer, auth: Buffer): string {
  const salt = body.subarray(0, 16)
  const keyEnd = 21 + body[20]!
  const senderKey = body.subarray(21, keyEnd)
  const record = body.subarray(keyEnd)
  if (record.length > body.readUInt32BE(16)) throw new Error('more than one record')
  const receiver = createECDH('prime256v1')
  receiver.setPrivateKey(privateKey)
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), receiver.getPublicKey(), senderKey])
  const secret = Buffer.from(hkdfSync('sha256', receiver.computeSecret(senderKey), auth, info, 32))
  const key = Buffer.from(hkdfSync('sha256', secret, salt, 'Content-Encoding: aes128gcm\0', 16))
  const nonce = Buffer.from(hkdfSync('sha256', secret, salt, 'Content-Encoding: nonce\0', 12))
  const decipher = createDecipheriv('aes-128-gcm', key, nonce)
  decipher.setAuthTag(record.subarray(-16))
  const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
  const end = plain.findLastIndex((byte) => byte !== 0)
  if (plain[end] !== 2) throw new Error('the record does not end with the delimiter of a last record')
  return plain.subarray(0, end).toString('utf8')
}

/** Checks `Authorization: vapid t=…,k=…` (RFC 8292): ES256 signature, audience, expiry within 24 h. */
export function checkVapid(
  header: string,
  origin: string,
  nowMs: number,
): { claims: ReceivedPush['vapid']; key: string } {
  const [, token = '', key = ''] = /^vapid t=([\w.-]+),\s*k=([\w-]+)$/.exec(header) ?? []
  const [head = '', claimed = '', signature = ''] = token.split('.')
  const point = Buffer.from(key, 'base64url')
  if (point.length !== 65 || point[0] !== 4) throw new Error('no VAPID key')
  const coordinate = (from: number) => point.subarray(from, from + 32).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) }
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const signed = Buffer.from(`${head}.${claimed}`)
  const proof = Buffer.from(signature, 'base64url')
  if (!verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, proof))
    throw new Error('VAPID signature')
  const claims = JSON.parse(Buffer.from(claimed, 'base64url').toString()) as ReceivedPush['vapid']
  const seconds = nowMs / 1000
  if (claims.aud !== origin) throw new Error(`VAPID audience ${claims.aud}`)
  if (claims.exp === undefined || claims.exp < seconds || claims.exp > seconds + 86_400) throw new Error('VAPID expiry')
  return { claims, key }
}

/** A web push service with one subscription, on 127.0.0.1; over HTTPS where a key and a certificate are given. */
export async function startPushService(tls?: { key: string | Buffer; cert: string | Buffer }): Promise<PushService> {
  const receiver = createECDH('prime256v1')
  receiver.generateKeys()
  const auth = randomBytes(16)
  const path = `/push/${randomBytes(12).toString('base64url')}`
  const received: ReceivedPush[] = []
  const refused: string[] = []
  const waiting: { count: number; resolve: (push: ReceivedPush) => void }[] = []
  let answer: { status: number; headers: Record<string, string> } = { status: 201, headers: {} }
  let origin = ''

  const take = (body: Buffer, headers: IncomingHttpHeaders): ReceivedPush => {
    if (headers['content-encoding'] !== 'aes128gcm') throw new Error('Content-Encoding is not aes128gcm')
    if (!/^\d+$/.test(String(headers.ttl))) throw new Error('TTL is missing') // RFC 8030 §5.2
    const { claims, key } = checkVapid(headers.authorization ?? '', origin, Date.now())
    const payload = decryptPush(body, receiver.getPrivateKey(), auth)
    return { payload, headers, vapid: claims, publicKey: key, receivedMs: Date.now() }
  }
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.method !== 'POST' || request.url !== path) {
        response.writeHead(404).end()
        return
      }
      if (answer.status < 300) {
        try {
          received.push(take(Buffer.concat(chunks), request.headers))
        } catch (error) {
          refused.push(String(error))
          response.writeHead(400).end()
          return
        }
        for (const waiter of waiting.filter(({ count }) => count === received.length)) waiter.resolve(received.at(-1)!)
      }
      response.writeHead(answer.status, { location: `${path}/${received.length}`, ...answer.headers }).end()
    })
  }
  const server: Server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    origin,
    subscription: {
      endpoint: `${origin}${path}`,
      expirationTime: null,
      keys: { p256dh: receiver.getPublicKey('base64url'), auth: auth.toString('base64url') },
    },
    answerWith(status, headers = {}) {
      answer = { status, headers }
    },
    received,
    refused,
    push(count) {
      const there = received[count - 1]
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.push({ count, resolve }))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
