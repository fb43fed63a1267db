import { eventTopic, viewerEventTopic } from '@porchlight/proto/topics.ts'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { closed, grantedOf } from '../support/mqtt-client.ts'
import { NoticePage } from '../support/notice-page.ts'
import { startPushService } from '../support/push-service.ts'
import { TestGateway } from '../support/test-gateway.ts'

const atEnd = onTestFinished

async function setUp() {
  const gateway = await TestGateway.open(atEnd)
  const porch = await gateway.enrol('porch')
  const me = await gateway.signIn()
  return { gateway, porch, me }
}

const ring = (eventId: string, at = Date.now()) => ({
  ...{ type: 'event', eventId, camera: 'door', kind: 'ring', phase: 'begin', at, bootId: 'boot-1234' },
})

describe('notices on an open page', () => {
  it('say which cameras there are, what happens, and that a camera goes offline', async () => {
    const { gateway, porch, me } = await setUp()
    const device = await porch.come(atEnd)
    const page = await NoticePage.open(gateway, me, atEnd)
    expect(await page.notice(({ type, online }) => type === 'camera' && online === true)).toMatchObject({
      id: 'porch.door',
    })
    await porch.publish(device, eventTopic('porch'), ring('event-001'))
    expect(await page.notice(({ type }) => type === 'event')).toMatchObject({
      eventId: 'event-001',
      cameraTitle: 'Front door',
      kind: 'ring',
      end: null,
    })
    await porch.publish(device, eventTopic('porch'), { ...ring('event-001'), phase: 'end' })
    await page.notice(({ type, end }) => type === 'event' && end !== null)
    device.stream.destroy()
    await page.notice(({ type, online }) => type === 'camera' && online === false)
  })

  it('are for those who are signed in, on our own pages', async () => {
    const { gateway, me } = await setUp()
    const url = `${gateway.url.replace('http', 'ws')}/mqtt`
    const attempts: Record<string, string>[] = [
      {},
      { cookie: 'porchlight_session=x' },
      { cookie: me.cookie },
      { ...me, origin: 'https://evil.example' },
    ]
    for (const headers of attempts) expect(await upgrade(url, headers)).toBeOneOf([401, 403])
    expect(await upgrade(`${url}/%zz`, {})).toBe(400)
    expect(await upgrade(url, me)).toBe(101)
    // A refused opening leaves no socket behind: such a one would hold this up for good.
    await gateway.close()
  })

  it('take nothing from a page, and give it nothing but notices', async () => {
    const { gateway, me } = await setUp()
    const page = await NoticePage.open(gateway, me, atEnd)
    const filters = ['#', 'pl/v1/d/+/event', viewerEventTopic]
    expect(await grantedOf(page.client, filters)).toEqual([viewerEventTopic])
    const over = closed(page.client)
    page.client.publish(viewerEventTopic, '{}')
    await over
  })

  it('end with the sign-in, and with nobody else’s', async () => {
    const { gateway, me } = await setUp()
    const other = await gateway.signIn()
    const page = await NoticePage.open(gateway, me, atEnd)
    const stays = await NoticePage.open(gateway, other, atEnd)
    const over = closed(page.client)
    await fetch(`${gateway.url}/api/session`, { method: 'DELETE', headers: me })
    await over
    expect(stays.client.connected).toBe(true)
  })
})

describe('web push', () => {
  it('wakes a closed page for a ring, and forgets a browser that is gone', async () => {
    const { gateway, porch, me } = await setUp()
    const service = await startPushService()
    atEnd(() => service.close())
    const key = (await (await fetch(`${gateway.url}/api/push/key`, { headers: me })).json()) as { publicKey: string }
    const subscribe = () =>
      fetch(`${gateway.url}/api/push/subscriptions`, {
        method: 'POST',
        headers: { ...me, 'content-type': 'application/json' },
        body: JSON.stringify(service.subscription),
      })
    expect((await subscribe()).status).toBe(204)
    const device = await porch.come(atEnd)
    const at = Date.now()
    await porch.publish(device, eventTopic('porch'), ring('event-001', at))
    const first = await service.push(1)
    expect(first.publicKey).toBe(key.publicKey)
    expect(first.headers).toMatchObject({ urgency: 'high', ttl: '21600' })
    expect(JSON.parse(first.payload)).toEqual({
      title: 'Front door',
      body: 'Somebody is at the door.',
      tag: 'event-001',
      url: '/#/camera/porch.door',
      kind: 'ring',
      camera: 'porch.door',
      eventId: 'event-001',
      at,
    })
    await porch.publish(device, eventTopic('porch'), { ...ring('event-002'), kind: 'motion' })
    expect((await service.push(2)).headers.urgency).toBe('normal')
    service.answerWith(410)
    await porch.publish(device, eventTopic('porch'), ring('event-003'))
    const gone = async () =>
      (await (await fetch(`${gateway.url}/metrics`)).text()).includes('push_total{result="gone"} 1')
    await expect.poll(gone, { timeout: 20_000 }).toBe(true)
    expect(service.refused).toEqual([])
  })
})

describe('events', () => {
  it('are told once however often they come, also across a restart', async () => {
    const { gateway, porch, me } = await setUp()
    const at = Date.now()
    const device = await porch.come(atEnd)
    await porch.publish(device, eventTopic('porch'), ring('event-001', at))
    await porch.publish(device, eventTopic('porch'), ring('event-001', at))
    const list = async () =>
      ((await (await fetch(`${gateway.url}/api/events`, { headers: me })).json()) as { events: { eventId: string }[] })
        .events
    await expect.poll(list).toMatchObject([{ eventId: 'event-001', begin: at, end: null }])
    await gateway.close()
    await gateway.start()
    const again = await porch.come(atEnd, [{}], 2)
    const page = await NoticePage.open(gateway, { ...me, origin: gateway.url }, atEnd)
    await porch.publish(again, eventTopic('porch'), ring('event-001', at))
    await porch.publish(again, eventTopic('porch'), ring('event-002', at + 1))
    await page.notice(({ eventId }) => eventId === 'event-002')
    expect(page.notices.filter(({ eventId }) => eventId === 'event-001')).toEqual([])
    const response = await fetch(`${gateway.url}/api/events/event-001`, { headers: me })
    expect(await response.json()).toMatchObject({ eventId: 'event-001', recording: { bytes: 0 } })
  })
})

/** Status of the answer to a WebSocket's opening. */
function upgrade(url: string, headers: Record<string, string>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const socket = new WebSocket(url, 'mqtt', { headers })
  socket.once('open', () => {
    resolve(101)
    socket.terminate()
  })
  socket.once('unexpected-response', (request, response) => {
    resolve(response.statusCode ?? 0)
    request.destroy()
  })
  socket.on('error', reject)
  return promise
}
