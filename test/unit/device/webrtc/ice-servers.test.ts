import { expect, onTestFinished, test } from 'vitest'
import { IceServers } from '../../../../device/webrtc/ice-servers.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const own = ['stun:stun.example:3478']

function setUp() {
  const clock = { now: 0 }
  const servers = new IceServers({ configured: own, now: () => clock.now, log: quietLog })
  onTestFinished(() => servers.close())
  return { clock, servers }
}

test("the gateway's relay is used while its credentials are good, beside what is configured", async () => {
  const { clock, servers } = setUp()
  expect(servers.list()).toEqual(own)
  const lent = { urls: ['turn:turn.example:1?transport=udp', 'turn:[2001:db8::1]'], seconds: 600 }
  await servers.lend({ ...lent, username: '1700000600:porch', credential: 'a/b+c=' })
  expect(servers.list()).toEqual([
    ...own,
    'turn:1700000600%3Aporch:a%2Fb%2Bc%3D@turn.example:1?transport=udp',
    'turn:1700000600%3Aporch:a%2Fb%2Bc%3D@[2001:db8::1]:3478?transport=udp',
  ])
  clock.now = 599_999
  await servers.lend({ ...lent, username: '1700001200:porch', credential: 'd' })
  expect(servers.list()[1]).toContain('1700001200')
  clock.now += 600_000
  expect(servers.list()).toEqual(own)
})

test('TCP and TLS are bridged, and the same server has the same bridge; DTLS is left out', async () => {
  const { servers } = setUp()
  const lent = {
    urls: ['turn:turn.example?transport=tcp', 'turns:turn.example', 'turns:turn.example?transport=udp'],
    ...{ username: 'porch', credential: 'word', seconds: 600 },
  }
  await servers.lend(lent)
  const bridged = servers.list().slice(own.length)
  expect(bridged).toHaveLength(2)
  for (const url of bridged) expect(url).toMatch(/^turn:porch:word@127\.0\.0\.1:\d+\?transport=udp$/)
  await servers.lend(lent)
  expect(servers.list().slice(own.length)).toEqual(bridged)
  await servers.close()
  expect(servers.list()).toEqual(own)
})
