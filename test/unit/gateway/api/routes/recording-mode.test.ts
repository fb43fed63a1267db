import { PorchlightError } from '@porchlight/proto/errors.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { GatewayDeps } from '../../../../../gateway/api/deps.ts'
import { recordingModeRoutes } from '../../../../../gateway/api/routes/recording-mode.ts'
import type { Subject } from '../../../../../gateway/auth/subject.ts'
import { credential } from '../../../../support/credential.ts'
import { routeApp } from '../../../../support/route-app.ts'

const url = '/api/cameras/porch.door/recording'
const owner: Subject = { kind: 'user', userId: 'u1', name: 'Ann', role: 'owner', credential }
const token: Subject = { kind: 'token', cameras: ['porch.door'], name: 'script', credential }

function open(subject: Subject) {
  const chosen: unknown[] = []
  const mustBeThere = (id: string) => {
    if (id !== 'porch.door') throw new PorchlightError('camera_not_found')
  }
  const deps = {
    cameras: { get: mustBeThere },
    modes: {
      now: () => ({ mode: 'events', chosen: false }),
      async choose(camera: string, mode: string | undefined) {
        mustBeThere(camera)
        chosen.push(mode)
        return { mode: mode ?? 'events', chosen: mode !== undefined }
      },
    },
  }
  const app = routeApp({ subject })
  recordingModeRoutes(app, deps as unknown as GatewayDeps)
  onTestFinished(() => app.close())
  return { app, chosen }
}

test('the owner chooses a mode, and gives it back', async () => {
  const { app, chosen } = open(owner)
  expect((await app.inject({ url })).json()).toEqual({ mode: 'events', chosen: false })
  const put = await app.inject({ method: 'PUT', url, payload: { mode: 'off' } })
  expect([put.statusCode, put.json()]).toEqual([200, { mode: 'off', chosen: true }])
  expect((await app.inject({ method: 'DELETE', url })).json()).toEqual({ mode: 'events', chosen: false })
  expect(chosen).toEqual(['off', undefined])
})

test.each<[string, Subject, { method?: 'PUT' | 'DELETE'; url?: string; payload?: object }, number, string]>([
  ['a token sees it, and changes nothing', token, { method: 'PUT', payload: { mode: 'off' } }, 403, 'forbidden'],
  ['nor does it give it back', token, { method: 'DELETE' }, 403, 'forbidden'],
  ['nobody sees it', { kind: 'nobody' }, {}, 401, 'sign_in_required'],
  ['a mode that there is not', owner, { method: 'PUT', payload: { mode: 'sometimes' } }, 400, 'request_invalid'],
  ['more than a mode', owner, { method: 'PUT', payload: { mode: 'off', since: 0 } }, 400, 'request_invalid'],
  [
    'a camera that there is not',
    owner,
    { method: 'PUT', url: '/api/cameras/porch.gate/recording', payload: { mode: 'off' } },
    404,
    'camera_not_found',
  ],
])('%s', async (_, subject, request, status, code) => {
  const { app, chosen } = open(subject)
  const reply = await app.inject({ url, ...request })
  expect([reply.statusCode, reply.json().code]).toEqual([status, code])
  expect(chosen).toEqual([])
})
