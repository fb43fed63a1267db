import { PorchlightError } from '@porchlight/proto/errors.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { GatewayDeps } from '../../../../../gateway/api/deps.ts'
import { talkRoutes } from '../../../../../gateway/api/routes/talk.ts'
import { whepRoutes } from '../../../../../gateway/api/routes/whep.ts'
import type { Subject } from '../../../../../gateway/auth/subject.ts'
import { credential } from '../../../../support/credential.ts'
import { routeApp } from '../../../../support/route-app.ts'

const owner: Subject = { kind: 'user', userId: 'u1', name: 'Ann', role: 'owner', credential }

async function open(subject: Subject = owner, more: Partial<GatewayDeps> = {}) {
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
      trickle(...args: unknown[]) {
        calls.push(['trickle', ...args])
        if (args[0] === 'session-2') throw new PorchlightError('session_not_found')
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
    ...more,
  }
  const app = routeApp({ subject })
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
    expect(reply.headers).toMatchObject({
      location: '/api/whep/session-1',
      etag: '"session-1"',
      'accept-patch': 'application/trickle-ice-sdpfrag',
    })
    expect(reply.headers).not.toHaveProperty('link')
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

  test.each([
    ['session_limit', 503],
    // The draft's §4.2: a stream that is not being published.
    ['camera_offline', 409],
  ] as const)('%s says when to come again', async (code, status) => {
    const { app } = await open(owner, {
      viewers: {
        join: () => Promise.reject(new PorchlightError(code)),
        trickle: () => undefined,
        leave: async () => undefined,
      },
    })
    const reply = await app.inject({ method: 'POST', url, headers: sdp, payload: 'v=0 offer' })
    expect([reply.statusCode, reply.json().code, reply.headers['retry-after']]).toEqual([status, code, '5'])
  })

  test('OPTIONS says what may be done, DELETE ends, whatever tag it brings', async () => {
    const { app, calls } = await open()
    const endpoint = await app.inject({ method: 'OPTIONS', url })
    expect(endpoint.statusCode).toBe(204)
    expect(endpoint.headers).toMatchObject({ 'accept-post': 'application/sdp', allow: 'POST, GET, HEAD, OPTIONS' })
    const session = await app.inject({ method: 'OPTIONS', url: '/api/whep/session-1' })
    expect(session.statusCode).toBe(204)
    expect(session.headers).toMatchObject({
      'accept-patch': 'application/trickle-ice-sdpfrag',
      allow: 'PATCH, DELETE, GET, HEAD, OPTIONS',
    })
    const headers = { 'if-match': '"another"' }
    expect((await app.inject({ method: 'DELETE', url: '/api/whep/session-1', headers })).statusCode).toBe(204)
    expect(calls).toEqual([['leave', 'session-1', owner]])
  })
})

describe('TURN servers', () => {
  const urls = ['turn:turn.example:3478?transport=udp', 'turns:turn.example:5349?transport=tcp']
  const relayFor = (name: string) => ({ urls, username: `17:${name}`, credential: 'a/b+c=', seconds: 600 })
  const links = urls.map(
    (one) => `<${one}>; rel="ice-server"; username="17:Ann"; credential="a/b+c="; credential-type="password"`,
  )

  test('stand in the answer to an offer, and to OPTIONS before it', async () => {
    const { app } = await open(owner, { relayFor })
    const created = await app.inject({ method: 'POST', url, headers: sdp, payload: 'v=0 offer' })
    expect(created.headers.link).toEqual(links)
    expect((await app.inject({ method: 'OPTIONS', url })).headers.link).toEqual(links)
  })

  test('are for those who may look', async () => {
    for (const subject of [
      { kind: 'nobody' },
      { kind: 'token', name: 'script', cameras: ['house.garden'], credential },
      { kind: 'device', device: 'house' },
    ] as const) {
      const { app } = await open(subject, { relayFor })
      const reply = await app.inject({ method: 'OPTIONS', url })
      expect([reply.statusCode, reply.headers.link]).toEqual([204, undefined])
    }
  })
})

describe('candidates after the offer', () => {
  const patch = { method: 'PATCH', url: '/api/whep/session-1' } as const
  const fragment = { 'content-type': 'application/trickle-ice-sdpfrag' }
  const payload = 'a=ice-ufrag:view\r\na=ice-pwd:viewviewviewviewviewview\r\n'

  test.each(['"session-1"', '"other", "session-1"', '*'])('are taken with If-Match %s', async (tag) => {
    const { app, calls } = await open()
    const reply = await app.inject({ ...patch, headers: { ...fragment, 'if-match': tag }, payload })
    expect([reply.statusCode, reply.body, reply.headers.etag]).toEqual([204, '', undefined])
    expect(calls).toEqual([['trickle', 'session-1', payload, owner]])
  })

  test.each([
    ['no If-Match', fragment, payload, 428, 'session_tag_missing'],
    ['another tag', { ...fragment, 'if-match': '"session-2"' }, payload, 412, 'session_tag_mismatch'],
    ['a weak tag', { ...fragment, 'if-match': 'W/"session-1"' }, payload, 412, 'session_tag_mismatch'],
    ['an offer', { ...sdp, 'if-match': '*' }, payload, 415, 'media_type_unsupported'],
    ['too much', { ...fragment, 'if-match': '*' }, 'x'.repeat(8_193), 413, 'message_too_large'],
    ['nothing', { ...fragment, 'if-match': '*' }, '', 400, 'request_invalid'],
  ])('%s is refused', async (_, headers, body, status, code) => {
    const { app, calls } = await open()
    const reply = await app.inject({ ...patch, headers, payload: body })
    expect([reply.statusCode, reply.json().code]).toEqual([status, code])
    expect(calls).toEqual([])
  })

  test('nobody is asked to sign in, and a session that is gone is not found', async () => {
    const request = { ...patch, headers: { ...fragment, 'if-match': '*' }, payload }
    const stranger = await open({ kind: 'nobody' })
    expect((await stranger.app.inject(request)).statusCode).toBe(401)
    const { app } = await open()
    expect((await app.inject({ ...request, url: '/api/whep/session-2' })).statusCode).toBe(404)
  })

  test('an offer is not posted as a fragment', async () => {
    const { app } = await open()
    expect((await app.inject({ method: 'POST', url, headers: fragment, payload })).statusCode).toBe(415)
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
