import { expect, onTestFinished, test } from 'vitest'
import webPush from 'web-push'
import { decryptPush, startPushService } from '../../support/push-service.ts'

const keys = webPush.generateVAPIDKeys()
const vapidDetails = { subject: 'mailto:owner@example.org', ...keys }

async function post(details: webPush.RequestDetails): Promise<number> {
  const headers = Object.fromEntries(Object.entries(details.headers).map(([name, value]) => [name, String(value)]))
  const answer = await fetch(details.endpoint, { method: 'POST', headers, body: new Uint8Array(details.body!) })
  return answer.status
}

test('a push of web-push arrives decrypted, its VAPID token checked', async () => {
  const service = await startPushService()
  onTestFinished(() => service.close())
  const details = webPush.generateRequestDetails(service.subscription, '{"kind":"ring"}', { vapidDetails, TTL: 60 })
  expect(await post(details)).toBe(201)
  const push = await service.push(1)
  expect(push.payload).toBe('{"kind":"ring"}')
  expect(push.vapid).toMatchObject({ sub: 'mailto:owner@example.org', aud: service.origin })
  expect(push.publicKey).toBe(keys.publicKey)
  expect(push.headers.ttl).toBe('60')
})

test('a changed body, a foreign token and a gone subscription are told apart', async () => {
  const service = await startPushService()
  onTestFinished(() => service.close())
  const details = webPush.generateRequestDetails(service.subscription, 'hello', { vapidDetails, TTL: 60 })
  const body = Buffer.from(details.body!)
  body[body.length - 1]! ^= 1
  expect(await post({ ...details, body })).toBe(400)
  const token = details.headers.Authorization as string
  const bad = { ...details, headers: { ...details.headers, Authorization: token.replace(/\.(\w)/, '.A$1') } }
  expect(await post(bad)).toBe(400)
  service.answerWith(410)
  expect(await post(details)).toBe(410)
  expect(service.received).toHaveLength(0)
  expect(service.refused).toHaveLength(2)
})

test('the example of RFC 8291 §5 is decrypted', () => {
  const body =
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN'
  const text = decryptPush(
    Buffer.from(body, 'base64url'),
    Buffer.from('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url'),
    Buffer.from('BTBZMqHH6r4Tts7J_aSIgg', 'base64url'),
  )
  expect(text).toBe('When I grow up, I want to be a watermelon')
})
