import { PorchlightError } from '@porchlight/proto/errors.ts'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isLoopback, LocalHttp } from '../../../../device/triggers/local-http.ts'

const token = 'local-token'
let rung: (string | undefined)[]
let server: LocalHttp

beforeEach(async () => {
  rung = []
  server = await LocalHttp.open({
    host: '127.0.0.1',
    port: 0,
    token,
    ring: (camera) => {
      if (camera === 'nowhere') throw new PorchlightError('camera_not_found')
      rung.push(camera)
    },
    health: () => ({ online: true }),
    metrics: async () => ({ type: 'text/plain', text: 'up 1\n' }),
    log: pino({ level: 'silent' }),
  })
})
afterEach(() => server.close())

async function post(path: string, body?: string, bearer = token) {
  const headers = { authorization: `Bearer ${bearer}` }
  const url = `http://127.0.0.1:${server.port}${path}`
  const response = await fetch(url, { method: 'POST', headers, ...(body !== undefined && { body }) })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe('POST /ring', () => {
  it('rings at the one meant', async () => {
    expect((await post('/ring')).status).toBe(202)
    expect((await post('/ring', '{"camera":"door"}')).status).toBe(202)
    expect((await post('/ring/gate')).status).toBe(202)
    expect(rung).toEqual([undefined, 'door', 'gate'])
  })

  it.each([
    ['/ring', '{"camera":"door"}', 'wrong', 401, 'sign_in_required'],
    ['/ring', '{"camera":"door"}', '', 401, 'sign_in_required'],
    ['/ring', '{"camera":', token, 400, 'request_invalid'],
    ['/ring', '{"camera":"door","x":1}', token, 400, 'request_invalid'],
    ['/ring', ' '.repeat(2_000), token, 413, 'message_too_large'],
    ['/ring/nowhere', undefined, token, 404, 'camera_not_found'],
    ['/sing', undefined, token, 404, 'not_found'],
  ])('%s %s %s → %i %s', async (path, body, bearer, status, code) => {
    const answer = await post(path, body?.slice(0), bearer)
    expect(answer).toMatchObject({ status, body: { code } })
    expect(rung).toEqual([])
  })

  it('goes on after a body that is far too large', async () => {
    const refused = await post('/ring', 'x'.repeat(5_000_000)).catch((error: unknown) => error)
    if (!(refused instanceof Error)) expect(refused).toMatchObject({ status: 413 })
    expect((await post('/ring')).status).toBe(202)
  })
})

it('shows health and metrics on loopback without a token', async () => {
  const base = `http://127.0.0.1:${server.port}`
  expect(await (await fetch(`${base}/health`)).json()).toEqual({ online: true })
  expect(await (await fetch(`${base}/metrics`)).text()).toBe('up 1\n')
  expect((await fetch(`${base}/ring`)).status).toBe(404)
})

it('says which port is in use', async () => {
  const taken = LocalHttp.open({
    host: '127.0.0.1',
    port: server.port,
    token,
    ring: () => undefined,
    health: () => ({}),
    metrics: async () => ({ type: '', text: '' }),
    log: pino({ level: 'silent' }),
  })
  await expect(taken).rejects.toMatchObject({ code: 'port_in_use' })
})

it.each([
  ['127.0.0.1', true],
  ['127.3.2.1', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['127.evil.example', false],
])('%s is loopback: %s', (host, expected) => expect(isLoopback(host)).toBe(expected))
