import { request as httpRequest } from 'node:http'
import { errors, isErrorCode, type Problem } from '@porchlight/proto/errors.ts'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { atFileEnd } from '../support/at-file-end.ts'
import { TestGateway } from '../support/test-gateway.ts'

let gateway: TestGateway
let me: { cookie: string; origin: string }
const atEnd = atFileEnd()

beforeAll(async () => {
  gateway = await TestGateway.open(atEnd)
  me = await gateway.signIn()
})

const get = (path: string, headers: Record<string, string> = {}) => fetch(gateway.url + path, { headers })
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

async function problem(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  const body = (await response.json()) as Problem
  expect(isErrorCode(body.code)).toBe(true)
  expect(body).toMatchObject({ status: response.status, title: errors[body.code].sentence })
  return body
}

describe('signing in', () => {
  it('gives a cookie that scripts of the page cannot read, and knows who it is', async () => {
    const [link = ''] = await gateway.cli('link')
    const token = link.slice(link.indexOf('token=') + 6)
    const response = await post('/api/session', { token }, { origin: gateway.url })
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/HttpOnly/)
    expect(cookie).toMatch(/SameSite=Strict/)
    expect(await response.json()).toMatchObject({ user: { name: 'owner', role: 'owner' } })
    expect((await problem(await post('/api/session', { token }))).code).toBe('sign_in_link_invalid')
    const session = await get('/api/session', { cookie: cookie.split(';')[0] ?? '' })
    expect(await session.json()).toMatchObject({ user: { name: 'owner' } })
  })

  it('prints a link at the first start only', async () => {
    const fresh = await TestGateway.open(atEnd)
    expect(fresh.running.signInLink).toMatch(/\/#\/sign-in\?token=[\w-]{43}$/)
    await fresh.signIn()
    await fresh.close()
    await fresh.start()
    expect(fresh.running.signInLink).toBeUndefined()
  })

  it('ends', async () => {
    const mine = await gateway.signIn()
    const response = await fetch(`${gateway.url}/api/session`, { method: 'DELETE', headers: mine })
    expect(response.status).toBe(204)
    expect((await problem(await get('/api/session', mine))).code).toBe('sign_in_required')
  })

  it('ends, and with it what this browser waits to see', async () => {
    const mine = await gateway.signIn()
    const device = await gateway.enrol('slow')
    const client = await device.come(atEnd)
    await expect.poll(async () => (await get('/api/cameras/slow.door', mine)).status).toBe(200)
    const asked = new Promise<void>((resolve) => {
      client.on('message', (topic) => topic.endsWith('/command') && resolve())
    })
    const headers = { ...mine, 'content-type': 'application/sdp' }
    const joined = fetch(`${gateway.url}/api/cameras/slow.door/whep`, { method: 'POST', headers, body: 'v=0' })
    await asked
    await fetch(`${gateway.url}/api/session`, { method: 'DELETE', headers: mine })
    expect((await problem(await joined)).code).toBe('sign_in_required')
  })

  it('does not let another site’s page do anything', async () => {
    const subscription = { endpoint: 'https://push.example/x', keys: {} }
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', undefined]) {
      const headers = { cookie: me.cookie, ...(origin !== undefined && { origin }) }
      expect((await problem(await post('/api/push/subscriptions', subscription, headers))).code).toBe('origin_mismatch')
    }
    const [link = ''] = await gateway.cli('link')
    const body = { token: link.slice(link.indexOf('token=') + 6) }
    expect((await problem(await post('/api/session', body, { origin: 'https://evil.example' }))).code).toBe(
      'origin_mismatch',
    )
  })
})

describe('what needs a sign-in', () => {
  it.each([
    '/api/session',
    '/api/cameras',
    '/api/cameras/porch.door',
    '/api/events',
    '/api/events/event-001',
    '/api/push/key',
    '/api/sessions',
  ])('%s', async (path) => {
    const response = await get(path)
    expect((await problem(response)).code).toBe('sign_in_required')
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect((await problem(await get(path, { authorization: 'Bearer nonsense' }))).code).toBe('sign_in_required')
  })
})

describe('access tokens', () => {
  it('see their cameras and nothing else', async () => {
    const porch = await gateway.enrol('porch')
    await porch.come(atEnd, [{}, { camera: 'yard' }])
    const [token = ''] = await gateway.cli('token', [], { camera: ['porch.door'], ttl: ['1h'] })
    const headers = { authorization: `Bearer ${token}` }
    await expect
      .poll(async () => ((await (await get('/api/cameras', headers)).json()) as { cameras: unknown[] }).cameras)
      .toMatchObject([{ id: 'porch.door', online: true }])
    expect(await (await get('/api/cameras/porch.door', headers)).json()).toMatchObject({ title: 'Front door' })
    expect((await problem(await get('/api/cameras/porch.yard', headers))).code).toBe('forbidden')
    expect((await problem(await get('/api/push/key', headers))).code).toBe('forbidden')
    expect((await problem(await get('/api/sessions', headers))).code).toBe('forbidden')
    expect((await problem(await get('/api/events?camera=porch.yard', headers))).code).toBe('forbidden')
    expect(await (await get('/api/events', headers)).json()).toEqual({ events: [], next: null })
    expect((await problem(await get('/api/session', headers))).code).toBe('sign_in_required')
  })
})

describe('what does not fit', () => {
  it.each([
    ['/api/nothing', 'not_found'],
    ['/api/cameras/nonsense', 'request_invalid'],
    ['/api/cameras/porch.nothing', 'camera_not_found'],
    ['/api/events/event-999', 'event_not_found'],
    ['/api/events?limit=0', 'request_invalid'],
    ['/api/events?limit=x', 'request_invalid'],
    ['/api/events?camera=../x', 'request_invalid'],
    ['/%', 'request_invalid'],
  ])('GET %s says %s', async (path, code) => {
    expect((await problem(await get(path, me))).code).toBe(code)
  })

  it.each([
    ['not JSON', '{', 'application/json', 'request_invalid'],
    ['another type', 'x', 'text/plain', 'request_invalid'],
    ['too much', JSON.stringify({ token: 'x'.repeat(200_000) }), 'application/json', 'message_too_large'],
    ['unknown members', '{"token":"x","more":1}', 'application/json', 'request_invalid'],
    ['__proto__', '{"token":"x","__proto__":{"a":1}}', 'application/json', 'request_invalid'],
  ])('a body with %s', async (_name, body, type, code) => {
    const response = await post('/api/push/subscriptions', body, { ...me, 'content-type': type })
    expect((await problem(response)).code).toBe(code)
  })

  it('slows down who guesses links', async () => {
    const codes = new Set<string>()
    for (let index = 0; index < 12; index++)
      codes.add((await problem(await post('/api/session', { token: 'A'.repeat(43) }))).code)
    expect(codes).toContain('too_many_requests')
  })
})

describe('the rest', () => {
  it('describes itself as OpenAPI 3.1', async () => {
    const document = (await (await get('/api/openapi.json')).json()) as {
      openapi: string
      paths: Record<string, object>
    }
    expect(document.openapi).toBe('3.1.0')
    for (const path of [
      '/api/session',
      '/api/sessions',
      '/api/cameras',
      '/api/cameras/{id}/whep',
      '/api/events',
      '/api/push/subscriptions',
    ]) {
      expect(Object.keys(document.paths)).toContain(path)
    }
  })

  it('says how it is, to anybody', async () => {
    await expect.poll(async () => (await get('/api/health')).json()).toEqual({ status: 'ok', broker: true })
  })

  it('lists the media sessions to the owner', async () => {
    expect(await (await get('/api/sessions', me)).json()).toEqual([])
  })

  it('gives metrics on this machine, but not through a proxy', async () => {
    const metrics = await (await get('/metrics')).text()
    expect(metrics).toContain('porchlight_broker_link_up 1')
    expect(metrics).toContain('porchlight_preroll_missing_total 0')
    expect((await problem(await get('/metrics', { 'x-forwarded-for': '10.0.0.1' }))).code).toBe('sign_in_required')
    expect((await get('/metrics', { ...me, 'x-forwarded-for': '10.0.0.1' })).status).toBe(200)
  })

  it('tells browsers to load nothing from elsewhere', async () => {
    const policy = (await get('/')).headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
  })
})

describe('any request', () => {
  it('never gets a 500', { timeout: 120_000 }, async () => {
    const paths = [
      '/api/session',
      '/api/cameras',
      '/api/events',
      '/api/push/subscriptions',
      '/api/device/cameras',
      '/mqtt',
      '/',
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'),
        fc.constantFrom(...paths),
        fc.webPath(),
        fc.webQueryParameters(),
        fc.oneof(fc.json(), fc.string()),
        fc.boolean(),
        async (method, path, more, query, body, signedIn) => {
          const status = await raw(method, `${path}${more}?${query}`, body, signedIn ? { ...me } : {})
          expect(status).toBeLessThan(500)
        },
      ),
      { numRuns: 60 },
    )
    expect((await get('/api/health')).status).toBe(200)
  })
})

function raw(method: string, path: string, body: string, headers: Record<string, string>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const sent = method === 'GET' || method === 'HEAD' ? '' : body
  const { hostname, port } = new URL(gateway.url)
  const request = httpRequest(
    {
      ...{ hostname, port, method, path, agent: false },
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent), ...headers },
    },
    (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    },
  )
  request.once('error', reject)
  request.end(sent)
  return promise
}
