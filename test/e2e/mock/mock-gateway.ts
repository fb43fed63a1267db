import { createReadStream, existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ErrorCode, PorchlightError, toProblem } from '@porchlight/proto/errors.ts'
import type { CameraNotice, EventNotice, FloorNotice } from '@porchlight/proto/messages/notice.ts'
import { viewerCameraTopic, viewerEventTopic, viewerFloorTopic } from '@porchlight/proto/topics.ts'
import { Aedes } from 'aedes'
import { createWebSocketStream, WebSocketServer } from 'ws'

const dist = fileURLToPath(new URL('../../../viewer/dist/', import.meta.url))
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}
/** Stricter than the gateway's own: what breaks it shows here first. */
const contentSecurityPolicy =
  "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'"
export const signInToken = 'one-time-token-of-the-test'

/** What a route of a test answers; undefined: this route is not for it. */
export type Answer = { status: number; headers?: Record<string, string>; body?: string | Buffer } | undefined

/** The gateway as the viewer sees it, with the pages that were built and no media of its own. */
export interface MockGateway extends AsyncDisposable {
  url: string
  cameras: CameraNotice[]
  events: EventNotice[]
  signedIn: boolean
  /** Looked at first, by tests that answer something themselves. */
  routes: ((method: string, path: string, body: string) => Answer | Promise<Answer>)[]
  /** `METHOD path` of every API request so far. */
  requests: string[]
  camera(notice: CameraNotice): Promise<void>
  event(notice: EventNotice): Promise<void>
  floor(notice: FloorNotice): Promise<void>
  /** Cuts all connections and refuses new ones, and takes them again: a gateway that is restarted. */
  stop(): Promise<void>
  start(): Promise<void>
}

export function problem(code: ErrorCode, more: Record<string, unknown> = {}): Answer {
  const details = toProblem(new PorchlightError(code))
  return {
    status: details.status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({ ...details, ...more }),
  }
}

export const json = (value: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

export async function openMockGateway(): Promise<MockGateway> {
  const broker = await Aedes.createBroker()
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', (socket) => {
    const stream = createWebSocketStream(socket)
    // A page that is closed resets its connection.
    stream.on('error', () => stream.destroy())
    broker.handle(stream)
  })
  const publish = (topic: string, notice: object, retain: boolean) =>
    new Promise<void>((resolve, reject) => {
      const payload = JSON.stringify(notice)
      broker.publish({ cmd: 'publish', topic, payload, qos: 0, retain, dup: false }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  const make = () => {
    const server = createServer((request, response) => {
      serve(gateway, request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error))
      })
    })
    server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/mqtt' || !gateway.signedIn) socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
      else sockets.handleUpgrade(request, socket, head, (open) => sockets.emit('connection', open, request))
    })
    return server
  }
  let server = make()
  let port = 0
  const listen = () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const gateway: MockGateway = {
    url: '',
    cameras: [],
    events: [],
    signedIn: true,
    routes: [],
    requests: [],
    camera: (notice) => {
      gateway.cameras = [...gateway.cameras.filter((camera) => camera.id !== notice.id), notice]
      return publish(viewerCameraTopic(notice.id), notice, true)
    },
    event: (notice) => publish(viewerEventTopic, notice, false),
    floor: (notice) => publish(viewerFloorTopic(notice.camera), notice, true),
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
    start: async () => {
      server = make()
      await listen()
    },
    [Symbol.asyncDispose]: async () => {
      await gateway.stop()
      await new Promise<void>((resolve) => broker.close(() => resolve()))
    },
  }
  await listen()
  port = (server.address() as AddressInfo).port
  gateway.url = `http://127.0.0.1:${port}`
  return gateway
}

async function serve(gateway: MockGateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? 'GET'
  const path = request.url ?? '/'
  if (!path.startsWith('/api/')) {
    file(path, response)
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks).toString()
  gateway.requests.push(`${method} ${path}`)
  let answer: Answer
  for (const route of gateway.routes) {
    answer ??= await route(method, path, body)
  }
  answer ??= standard(gateway, method, path, body) ?? problem('not_found')
  if (answer) response.writeHead(answer.status, answer.headers).end(answer.body)
}

function standard(gateway: MockGateway, method: string, path: string, body: string): Answer {
  if (path === '/api/session' && method === 'POST') {
    if (!body.includes(signInToken)) return problem('sign_in_link_invalid')
    gateway.signedIn = true
    return { status: 204 }
  }
  if (!gateway.signedIn) return problem('sign_in_required')
  if (path === '/api/session' && method === 'DELETE') {
    gateway.signedIn = false
    return { status: 204 }
  }
  if (path === '/api/session') return json({ user: { id: 'u1', name: 'Ada', role: 'owner' } })
  if (path === '/api/cameras') return json({ cameras: gateway.cameras })
  if (path.startsWith('/api/events?')) {
    const query = new URLSearchParams(path.slice('/api/events?'.length))
    const before = Number(query.get('before') ?? Number.POSITIVE_INFINITY)
    const limit = Number(query.get('limit'))
    const older = gateway.events.filter((event) => event.begin < before)
    const events = older.slice(0, limit)
    return json({ events, next: older.length > limit ? events.at(-1)!.begin : null })
  }
  if (path.startsWith('/api/whep/') && method === 'DELETE') return { status: 204 }
  return undefined
}

function file(path: string, response: ServerResponse): void {
  const name = normalize(path.split('?')[0]!)
  const found = join(dist, name === '/' ? 'index.html' : name)
  if (!found.startsWith(dist) || !existsSync(found)) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, {
    'content-type': types[extname(found)] ?? 'application/octet-stream',
    'content-security-policy': contentSecurityPolicy,
  })
  createReadStream(found).pipe(response)
}
