import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { beforeAll, describe, expect, it } from 'vitest'
import { atFileEnd } from '../support/at-file-end.ts'
import { TestGateway } from '../support/test-gateway.ts'
import { plainWhipOffer } from '../support/whip-offer.ts'

let gateway: TestGateway
let me: { cookie: string; origin: string }
const atEnd = atFileEnd()

beforeAll(async () => {
  gateway = await TestGateway.open(atEnd)
  me = await gateway.signIn()
})

const path = (name: string) => `/api/cameras/whip.${name}/whip`

/** Token and address. */
async function publish(name: string, flags: Record<string, string[]> = {}): Promise<string[]> {
  return (await gateway.cli('token', [], { publish: [name], ...flags })).join('\n').split('\n')
}

async function tokenOf(name: string, flags: Record<string, string[]> = {}): Promise<string> {
  return (await publish(name, flags))[0]!
}

const post = (name: string, token: string, body = plainWhipOffer) =>
  fetch(gateway.url + path(name), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' },
    body,
  })

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code
const cameras = async () =>
  (
    (await (await fetch(`${gateway.url}/api/cameras`, { headers: me })).json()) as {
      cameras: { id: string; title: string; online: boolean }[]
    }
  ).cameras

describe('gateway token', () => {
  it('--publish prints a token and where to publish, and the camera is there at once for whoever comes with it', async () => {
    const [token = '', where] = await publish('studio', { name: ['The studio'] })
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(where).toMatch(/^WHIP: http:\/\/\S+\/api\/cameras\/whip\.studio\/whip$/)
    const response = await post('studio', token)
    expect(response.status).toBe(201)
    expect(parseSdp(await response.text()).media.map(({ direction }) => direction)).toEqual(['recvonly', 'recvonly'])
    expect(await cameras()).toMatchObject([{ id: 'whip.studio', title: 'The studio', online: false }])
    const location = response.headers.get('location')!
    const authorization = `Bearer ${token}`
    const remove = () => fetch(gateway.url + location, { method: 'DELETE', headers: { authorization } })
    expect((await remove()).status).toBe(204)
    const patched = await fetch(gateway.url + location, {
      method: 'PATCH',
      headers: { authorization, 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*' },
      body: 'a=ice-ufrag:pubs\r\na=ice-pwd:pubspubspubspubspubspubs\r\n',
    })
    expect([patched.status, await codeOf(patched)]).toEqual([404, 'session_not_found'])
  })

  it.each<Record<string, string[]>>([
    { publish: ['Studio'] },
    { publish: ['one', 'two'] },
    { publish: ['one'], ttl: ['1h'] },
    { publish: ['one'], camera: ['porch.door'] },
    { publish: ['one'], revoke: ['one'] },
  ])('%j is no command', async (flags) => {
    await expect(gateway.cli('token', [], flags)).rejects.toMatchObject({ code: 'request_invalid' })
  })

  it('--revoke of one that is not there says so', async () => {
    await expect(gateway.cli('token', [], { revoke: ['nowhere'] })).rejects.toMatchObject({ code: 'camera_not_found' })
  })
})

describe('a publish token', () => {
  it('opens its own camera for publishing, and nothing else', async () => {
    const token = await tokenOf('garden')
    await tokenOf('attic')
    expect(await codeOf(await post('attic', token))).toBe('forbidden')
    expect(await codeOf(await post('nowhere', token))).toBe('forbidden')
    const headers = { authorization: `Bearer ${token}` }
    for (const address of ['/api/cameras/whip.garden', '/api/sessions', '/api/events?camera=whip.garden']) {
      expect(await codeOf(await fetch(gateway.url + address, { headers }))).toBe('forbidden')
    }
    expect(await (await fetch(`${gateway.url}/api/cameras`, { headers })).json()).toEqual({ cameras: [] })
    const watch = await fetch(`${gateway.url}/api/cameras/whip.garden/whep`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/sdp' },
      body: plainWhipOffer,
    })
    expect(await codeOf(watch)).toBe('forbidden')
  })

  it('of nobody is refused, and so is the owner without one', async () => {
    await tokenOf('garden')
    const unknown = await post('garden', 'x'.repeat(43))
    expect(await codeOf(unknown)).toBe('sign_in_required')
    // A page elsewhere may read why.
    expect(unknown.headers.get('access-control-allow-origin')).toBe('*')
    const response = await fetch(gateway.url + path('garden'), {
      method: 'POST',
      headers: { ...me, 'content-type': 'application/sdp' },
      body: plainWhipOffer,
    })
    expect(await codeOf(response)).toBe('forbidden')
  })

  it('tells what happens at its camera', async () => {
    const token = await tokenOf('shed')
    await tokenOf('barn')
    const tell = (camera: string, phase: string, as = token) =>
      fetch(`${gateway.url}/api/cameras/whip.${camera}/events/shed-event-1`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'motion', phase }),
      })
    const seen = async () => {
      const response = await fetch(`${gateway.url}/api/events?camera=whip.shed`, { headers: me })
      return ((await response.json()) as { events: { eventId: string; end: number | null }[] }).events
    }
    // A camera must be known to have events: the gateway looks for new ones every few seconds.
    await expect.poll(async () => (await tell('shed', 'begin')).status).toBe(204)
    await expect.poll(seen).toMatchObject([{ eventId: 'shed-event-1', kind: 'motion', end: null }])
    expect(await codeOf(await tell('barn', 'end'))).toBe('forbidden')
    const barn = await tokenOf('barn')
    const foreign = await tell('barn', 'end', barn)
    expect([foreign.status, await codeOf(foreign)]).toEqual([403, 'forbidden'])
    expect((await tell('shed', 'end')).status).toBe(204)
    await expect.poll(async () => (await seen())[0]?.end).toBeTypeOf('number')
    expect(await codeOf(await tell('shed', 'middle'))).toBe('request_invalid')
  })
})

it('a camera that is off is taken from nobody, and who publishes is off the air', async () => {
  const token = await tokenOf('porch')
  const opened = await post('porch', token)
  expect(opened.status).toBe(201)
  const choose = (init: RequestInit) =>
    fetch(`${gateway.url}/api/cameras/whip.porch/recording`, {
      ...init,
      headers: { ...me, 'content-type': 'application/json' },
    })
  expect((await choose({ method: 'PUT', body: '{"mode":"off"}' })).status).toBe(200)
  const refused = await post('porch', token)
  expect([refused.status, await codeOf(refused)]).toEqual([409, 'camera_off'])
  const patched = await fetch(gateway.url + opened.headers.get('location'), {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/trickle-ice-sdpfrag',
      'if-match': '*',
    },
    body: 'a=ice-ufrag:pubs\r\na=ice-pwd:pubspubspubspubspubspubs\r\n',
  })
  expect(await codeOf(patched)).toBe('session_not_found')
  expect((await choose({ method: 'DELETE', body: '{}' })).status).toBe(200)
  expect((await post('porch', token)).status).toBe(201)
})

it('stands in the OpenAPI text', async () => {
  const { paths } = (await (await fetch(`${gateway.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { description?: string }>>
  }
  expect(Object.keys(paths['/api/cameras/{id}/whip']!)).toEqual(['options', 'post', 'get'])
  expect(Object.keys(paths['/api/whip/{session}']!)).toEqual(['options', 'patch', 'delete', 'get'])
  expect(paths['/api/cameras/{id}/whip']!.post!.description).toContain('takes over')
})
