import { PorchlightError } from '@porchlight/proto/errors.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { whipRoutes } from '../../../../../gateway/api/routes/whip.ts'
import type { Subject } from '../../../../../gateway/auth/subject.ts'
import type { RelayFor } from '../../../../../gateway/webrtc/turn.ts'
import { credential } from '../../../../support/credential.ts'
import { routeApp } from '../../../../support/route-app.ts'

const publisher: Subject = { kind: 'publisher', camera: 'whip.studio', credential }

async function open(subject: Subject = publisher, relayFor?: RelayFor) {
  const calls: unknown[][] = []
  const publishers = {
    async publish(...args: unknown[]) {
      calls.push(['publish', ...args])
      if (args[1] === 'v=0 two pictures') throw new PorchlightError('offer_unsupported', 'media line 2')
      return { id: 'session-1', answer: 'v=0\r\n' }
    },
    trickle(...args: unknown[]) {
      calls.push(['trickle', ...args])
      if (args[1] === 'restart') throw new PorchlightError('ice_restart_unsupported')
    },
    async leave(...args: unknown[]) {
      calls.push(['leave', ...args])
    },
  }
  const app = routeApp({ subject })
  await whipRoutes(app, { publishers, relayFor })
  onTestFinished(() => app.close())
  return { app, calls }
}

const url = '/api/cameras/whip.studio/whip'
const session = '/api/whip/session-1'
const sdp = { 'content-type': 'application/sdp' }
const fragment = { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '"session-1"' }

describe('WHIP (RFC 9725)', () => {
  test('§4.2: an offer gives 201 with the answer, where the session is, and its tag', async () => {
    const { app, calls } = await open()
    const reply = await app.inject({ method: 'POST', url, headers: sdp, payload: 'v=0 offer' })
    expect([reply.statusCode, reply.body]).toEqual([201, 'v=0\r\n'])
    expect(reply.headers).toMatchObject({
      location: session,
      etag: '"session-1"',
      'accept-patch': 'application/trickle-ice-sdpfrag',
    })
    expect(reply.headers['content-type']).toMatch(/^application\/sdp/)
    expect(calls).toEqual([['publish', 'whip.studio', 'v=0 offer', publisher]])
  })

  test.each<[string, object, number, string]>([
    ['another content', { headers: { 'content-type': 'text/plain' }, payload: 'v=0' }, 415, 'media_type_unsupported'],
    ['an offer of more than 32 KB', { headers: sdp, payload: 'x'.repeat(33_000) }, 413, 'message_too_large'],
    ['an empty offer', { headers: sdp, payload: '' }, 400, 'request_invalid'],
    ['§4.4.2: more than can be taken', { headers: sdp, payload: 'v=0 two pictures' }, 422, 'offer_unsupported'],
  ])('%s is refused', async (_, request, status, code) => {
    const { app } = await open()
    const reply = await app.inject({ method: 'POST', url, ...request })
    expect([reply.statusCode, reply.json().code]).toEqual([status, code])
  })

  test.each<[string, Subject, number]>([
    ['nobody', { kind: 'nobody' }, 401],
    ['the publisher of another camera', { ...publisher, camera: 'whip.other' }, 403],
    ['a script that may look', { kind: 'token', name: 'script', cameras: ['whip.studio'], credential }, 403],
    ['the owner', { kind: 'user', userId: 'u1', name: 'Ann', role: 'owner', credential }, 403],
  ])('%s cannot publish', async (_, subject, status) => {
    const { app, calls } = await open(subject)
    const reply = await app.inject({ method: 'POST', url, headers: sdp, payload: 'v=0 offer' })
    expect(reply.statusCode).toBe(status)
    expect(calls).toEqual([])
  })

  test('§4.3: candidates are taken with the tag; 428 without it, 412 with another', async () => {
    const { app, calls } = await open()
    const patch = (headers: Record<string, string>, payload = 'a=x') =>
      app.inject({ method: 'PATCH', url: session, headers, payload })
    const taken = await patch(fragment)
    expect([taken.statusCode, taken.body, taken.headers.etag]).toEqual([204, '', undefined])
    expect((await patch({ 'content-type': fragment['content-type'] })).statusCode).toBe(428)
    expect((await patch({ ...fragment, 'if-match': '"session-2"' })).statusCode).toBe(412)
    expect((await patch({ ...fragment, ...sdp })).statusCode).toBe(415)
    expect(calls).toEqual([['trickle', 'session-1', 'a=x', publisher]])
  })

  test('§4.3: a restart of ICE, which there is not, is 422', async () => {
    const { app } = await open()
    const headers = { ...fragment, 'if-match': '*' }
    const reply = await app.inject({ method: 'PATCH', url: session, headers, payload: 'restart' })
    expect([reply.statusCode, reply.json().code]).toEqual([422, 'ice_restart_unsupported'])
  })

  test('DELETE ends the session, whatever tag it brings', async () => {
    const { app, calls } = await open()
    const headers = { 'if-match': '"another"' }
    expect((await app.inject({ method: 'DELETE', url: session, headers })).statusCode).toBe(204)
    expect(calls).toEqual([['leave', 'session-1', publisher]])
  })

  test('§4.1: a GET is answered with nothing', async () => {
    const { app } = await open({ kind: 'nobody' })
    for (const address of [url, session]) {
      const reply = await app.inject({ method: 'GET', url: address })
      expect([reply.statusCode, reply.body]).toEqual([204, ''])
    }
  })

  test('§4.6: TURN servers stand in the answer, and are told to who may publish before it', async () => {
    const relayFor: RelayFor = (name) => ({ urls: ['turn:t'], username: `17:${name}`, credential: 'c', seconds: 600 })
    const link = ['<turn:t>; rel="ice-server"; username="17:whip.studio"; credential="c"; credential-type="password"']
    const { app } = await open(publisher, relayFor)
    expect((await app.inject({ method: 'POST', url, headers: sdp, payload: 'v=0' })).headers.link).toEqual(link)
    expect((await app.inject({ method: 'OPTIONS', url })).headers).toMatchObject({
      link,
      'accept-post': sdp['content-type'],
    })
    const stranger = await open({ kind: 'nobody' }, relayFor)
    expect((await stranger.app.inject({ method: 'OPTIONS', url })).headers).not.toHaveProperty('link')
  })

  test('pages of any origin may publish with a token, and read why they may not; cookies are never sent along', async () => {
    const { app } = await open({ kind: 'nobody' })
    const preflight = await app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://encoder.example' } })
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST, PATCH, DELETE, GET, OPTIONS',
      'access-control-allow-headers': 'Authorization, Content-Type, If-Match',
    })
    const refused = await app.inject({ method: 'POST', url, headers: sdp, payload: 'v=0' })
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([401, '*'])
    expect(refused.headers['access-control-expose-headers']).toMatch(/\bLocation\b.*\bETag\b.*\bLink\b/)
    expect(refused.headers).not.toHaveProperty('access-control-allow-credentials')
  })
})
