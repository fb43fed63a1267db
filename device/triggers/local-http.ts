import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { PorchlightError, toProblem } from '@porchlight/proto/errors.ts'
import { name } from '@porchlight/proto/ids.ts'
import type { Logger } from 'pino'
import { z } from 'zod'
import { isToken } from '../identity/local-token.ts'

/** Body of `POST /ring`, bytes. */
const maxBodyBytes = 1_024
/** Longest request, ms. */
const requestMs = 5_000

const ringBody = z.strictObject({ camera: name.optional() })

export interface LocalHttpOptions {
  host: string
  port: number
  /** Bearer token of everything but, on loopback, `/health` and `/metrics`. */
  token: string
  /** Someone rang at this camera; without one: at the device's doorbell. @throws PorchlightError `camera_not_found` */
  ring(camera: string | undefined): void
  health(): Record<string, unknown>
  metrics(): Promise<{ type: string; text: string }>
  log: Logger
}

/** Local HTTP of the agent: `POST /ring`, `POST /ring/{camera}`, `GET /health`, `GET /metrics`. */
export class LocalHttp implements AsyncDisposable {
  readonly #server: Server
  readonly #host: string

  private constructor(server: Server, host: string) {
    this.#server = server
    this.#host = host
  }

  /** @throws PorchlightError `port_in_use` */
  static async open(options: LocalHttpOptions): Promise<LocalHttp> {
    const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs, keepAliveTimeout: 2_000 })
    server.maxConnections = 64
    server.on('request', (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        options.log.error({ err: error }, 'local request not answered')
        response.destroy()
      })
    })
    const listening = Promise.withResolvers<void>()
    server.once('error', listening.reject)
    server.listen(options.port, options.host, listening.resolve)
    try {
      await listening.promise
    } catch (cause) {
      throw new PorchlightError('port_in_use', `${options.host}:${options.port} (http.port)`, { cause })
    }
    return new LocalHttp(server, options.host)
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.port}`
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = Promise.withResolvers<void>()
    this.#server.close(() => closed.resolve())
    this.#server.closeAllConnections()
    await closed.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

async function answer(options: LocalHttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const path = new URL(request.url ?? '/', 'http://local').pathname
    const open = isLoopback(options.host) && request.method === 'GET'
    if (!open && !isToken(bearer(request), options.token)) throw new PorchlightError('sign_in_required', 'bearer token')
    if (request.method === 'GET' && path === '/health') {
      send(response, 200, 'application/json', JSON.stringify(options.health()))
    } else if (request.method === 'GET' && path === '/metrics') {
      const { type, text } = await options.metrics()
      send(response, 200, type, text)
    } else if (request.method === 'POST' && (path === '/ring' || path.startsWith('/ring/'))) {
      const named = path === '/ring' ? (await readBody(request)).camera : path.slice('/ring/'.length)
      options.ring(named)
      send(response, 202, 'application/json', '{}')
    } else {
      throw new PorchlightError('not_found')
    }
  } catch (error) {
    const known =
      error instanceof PorchlightError ? error : new PorchlightError('internal', undefined, { cause: error })
    if (known.code === 'internal') options.log.error({ err: error }, 'local request failed')
    if (!request.complete) response.setHeader('connection', 'close')
    send(response, known.status, 'application/problem+json', JSON.stringify(toProblem(known)))
  }
}

function bearer(request: IncomingMessage): string {
  return /^Bearer ([A-Za-z0-9_-]{1,128})$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
}

async function readBody(request: IncomingMessage): Promise<z.infer<typeof ringBody>> {
  const parts: Buffer[] = []
  let bytes = 0
  // The socket stays, so that the refusal can be said.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.byteLength
    if (bytes > maxBodyBytes) throw new PorchlightError('message_too_large', `more than ${maxBodyBytes} bytes`)
    parts.push(part)
  }
  if (bytes === 0) return {}
  try {
    return ringBody.parse(JSON.parse(Buffer.concat(parts).toString('utf8')))
  } catch (cause) {
    throw new PorchlightError('request_invalid', '{"camera": "…"}', { cause })
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text)
}
