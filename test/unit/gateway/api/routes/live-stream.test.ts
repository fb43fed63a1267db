import { once } from 'node:events'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import type { GatewayDeps } from '../../../../../gateway/api/deps.ts'
import { liveStreamRoutes } from '../../../../../gateway/api/routes/live-stream.ts'
import type { Subject } from '../../../../../gateway/auth/subject.ts'
import type { JoinRequest } from '../../../../../gateway/live-stream/live-streams.ts'
import { credential } from '../../../../support/credential.ts'
import { routeApp } from '../../../../support/route-app.ts'

const owner: Subject = {
  ...{ kind: 'user', userId: 'u1', name: 'Ann', role: 'owner' },
  credential: { id: 's1', expiresAt: 61_000 },
}
const script: Subject = {
  ...{ kind: 'token', name: 'script', cameras: ['house.door'] },
  credential: { id: 't1', expiresAt: 11_000 },
}
const url = '/api/cameras/house.door/live.mp4'

async function open(
  subject: Subject,
  join: (camera: string, request: JoinRequest) => Promise<{ type: string; body: Readable }>,
) {
  const deps = {
    now: () => 1_000,
    cameras: {
      get(id: string) {
        if (id !== 'house.door') throw new PorchlightError('camera_not_found')
      },
    },
    liveStreams: { join },
  }
  const app = routeApp({ subject })
  liveStreamRoutes(app, deps as unknown as GatewayDeps)
  onTestFinished(() => app.close())
  return app
}

const type = 'video/mp4; codecs="avc1.42c01f,opus"'

test('an access token sees no longer than it lasts', async () => {
  const asked: JoinRequest[] = []
  const app = await open(script, async (_, request) => {
    asked.push(request)
    return { type, body: Readable.from([]) }
  })
  await app.inject({ method: 'GET', url })
  expect(asked).toMatchObject([{ session: 't1', lifeMs: 10_000 }])
})

test('a viewer gets the stream with its codecs; the stream knows the sign-in behind it', async () => {
  const asked: JoinRequest[] = []
  const app = await open(owner, async (_, request) => {
    asked.push(request)
    return { type, body: Readable.from([Buffer.from('init'), Buffer.from('more')], { objectMode: false }) }
  })
  const reply = await app.inject({ method: 'GET', url })
  expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([200, type, 'initmore'])
  await app.inject({ method: 'GET', url: `${url}?sound=none` })
  expect(asked).toMatchObject([
    { sound: true, session: 's1', lifeMs: 60_000 },
    { sound: false, session: 's1', lifeMs: 60_000 },
  ])
})

test.each([
  ['nobody', { kind: 'nobody' }, url, 401],
  ['a token for another camera', { kind: 'token', cameras: ['house.yard'], name: 'script', credential }, url, 403],
  ['an unknown camera', owner, '/api/cameras/house.no/live.mp4', 404],
  ['another sound', owner, `${url}?sound=pcmu`, 400],
  ['HEAD', owner, url, 404],
] as const)('%s gets nothing', async (name, subject, address, status) => {
  const app = await open(subject, () => Promise.reject(new Error('must not be asked')))
  const reply = await app.inject({ method: name === 'HEAD' ? 'HEAD' : 'GET', url: address })
  expect(reply.statusCode).toBe(status)
})

/** A viewer on a connection of its own. */
async function connect(app: FastifyInstance): Promise<ClientRequest> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const viewer = get({ host: '127.0.0.1', port, path: url })
  viewer.on('error', () => undefined)
  return viewer
}

test('who leaves while the camera is waited for waits no more', async () => {
  const waits = Promise.withResolvers<AbortSignal>()
  const app = await open(owner, (_, { signal }) => {
    waits.resolve(signal)
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new PorchlightError('session_ended')))
    })
  })
  const viewer = await connect(app)
  const signal = await waits.promise
  viewer.destroy()
  if (!signal.aborted) await once(signal, 'abort')
})

test('who leaves later ends the stream', async () => {
  const body = new Readable({ read: () => undefined })
  body.push('init')
  const viewer = await connect(await open(owner, async () => ({ type, body })))
  const [response] = (await once(viewer, 'response')) as [IncomingMessage]
  await once(response, 'data')
  viewer.destroy()
  await once(body, 'close')
})
