import { PorchlightError } from '@porchlight/proto/errors.ts'
import fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { GatewayDeps } from '../../../../../gateway/api/deps.ts'
import { registerProblems } from '../../../../../gateway/api/problems.ts'
import { talkRoutes } from '../../../../../gateway/api/routes/talk.ts'
import { whepRoutes } from '../../../../../gateway/api/routes/whep.ts'
import type { Subject } from '../../../../../gateway/auth/subject.ts'
import { Metrics } from '../../../../../gateway/metrics/metrics.ts'
import { credential } from '../../../../support/credential.ts'

const owner: Subject = { kind: 'user', userId: 'u1', name: 'Ann', role: 'owner', credential }

async function open(subject: Subject = owner) {
  const calls: unknown[][] = []
  const deps = {
    cameras: {
      get(id: string) {
        if (id !== 'house.door') throw new PorchlightError('camera_not_found')
        return {}
      },
    },
    viewers: {
      async join(...args: unknown[]) {
        calls.push(['join', ...args])
        return { id: 'session-1', answer: 'v=0\r\n' }
      },
      async leave(...args: unknown[]) {
        calls.push(['leave', ...args])
      },
    },
    floor: {
      take(_: string, session: string) {
        if (session === 'session-2') throw new PorchlightError('floor_taken', 'Ann')
        return { until: 5, leaseMs: 5_000 }
      },
      release: () => undefined,
    },
  }
  const app = fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  registerProblems(app, new Metrics())
  app.decorateRequest('subject')
  app.addHook('onRequest', async (request) => {
    request.subject = subject
  })
  await whepRoutes(app, deps as unknown as GatewayDeps)
  talkRoutes(app, deps as unknown as GatewayDeps)
  onTestFinished(() => app.close())
  return { app, calls }
}

const url = '/api/cameras/house.door/whep'
const sdp = { 'content-type': 'application/sdp' }

describe('WHEP', () => {
  test('an offer gives 201 with the answer and where the session is', async () => {
    const { app, calls } = await open()
    const reply = await app.inject({ method: 'POST', url, headers: sdp, payload: 'v=0 offer' })
    expect(reply.statusCode).toBe(201)
    expect(reply.headers).toMatchObject({ location: '/api/whep/session-1', etag: '"session-1"' })
    expect(reply.headers['content-type']).toMatch(/^application\/sdp/)
    expect(reply.body).toBe('v=0\r\n')
    expect(calls).toEqual([['join', 'house.door', 'v=0 offer', owner]])
  })

  test.each([
    [
      'another content',
      { headers: { 'content-type': 'application/json' }, payload: '{}' },
      415,
      'media_type_unsupported',
    ],
    ['an offer of more than 32 KB', { headers: sdp, payload: 'x'.repeat(33_000) }, 413, 'message_too_large'],
    ['an empty offer', { headers: sdp, payload: '' }, 400, 'request_invalid'],
  ])('%s is refused', async (_, request, status, code) => {
    const { app, calls } = await open()
    const reply = await app.inject({ method: 'POST', url, ...request })
    expect([reply.statusCode, reply.json().code]).toEqual([status, code])
    expect(calls).toEqual([])
  })

  test('an unknown camera, and nobody', async () => {
    const { app } = await open()
    const unknown = await app.inject({
      method: 'POST',
      url: '/api/cameras/house.no/whep',
      headers: sdp,
      payload: 'v=0',
    })
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, 'camera_not_found'])
    const stranger = await open({ kind: 'nobody' })
    const reply = await stranger.app.inject({ method: 'POST', url, headers: sdp, payload: 'v=0' })
    expect([reply.statusCode, reply.json().code]).toEqual([401, 'sign_in_required'])
  })

  test('OPTIONS says what may be posted, DELETE ends', async () => {
    const { app, calls } = await open()
    const options = await app.inject({ method: 'OPTIONS', url })
    expect([options.statusCode, options.headers['accept-post']]).toEqual([204, 'application/sdp'])
    expect((await app.inject({ method: 'DELETE', url: '/api/whep/session-1' })).statusCode).toBe(204)
    expect(calls).toEqual([['leave', 'session-1', owner]])
  })
})

describe('talk', () => {
  test('the floor is taken, kept, refused with the holder’s name, given back', async () => {
    const { app } = await open()
    const talk = '/api/cameras/house.door/talk'
    const taken = await app.inject({ method: 'POST', url: talk, payload: { session: 'session-1' } })
    expect(taken.json()).toEqual({ until: 5, leaseMs: 5_000 })
    const refused = await app.inject({ method: 'POST', url: talk, payload: { session: 'session-2' } })
    expect(refused.statusCode).toBe(409)
    expect(refused.json()).toMatchObject({ code: 'floor_taken', holder: 'Ann' })
    const released = await app.inject({ method: 'DELETE', url: talk, payload: { session: 'session-1' } })
    expect(released.statusCode).toBe(204)
  })
})
