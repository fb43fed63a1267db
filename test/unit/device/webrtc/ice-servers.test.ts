import { expect, test } from 'vitest'
import { IceServers } from '../../../../device/webrtc/ice-servers.ts'

const own = ['stun:stun.example:3478']

test("the gateway's relay is used while its credentials are good, beside what is configured", () => {
  let now = 0
  const servers = new IceServers(own, () => now)
  expect(servers.list()).toEqual(own)
  const lent = { urls: ['turn:turn.example:3478?transport=udp', 'turns:turn.example'], seconds: 600 }
  servers.lend({ ...lent, username: '1700000600:porch', credential: 'a/b+c=' })
  expect(servers.list()).toEqual([
    ...own,
    'turn:1700000600%3Aporch:a%2Fb%2Bc%3D@turn.example:3478?transport=udp',
    'turns:1700000600%3Aporch:a%2Fb%2Bc%3D@turn.example',
  ])
  now = 599_999
  servers.lend({ ...lent, username: '1700001200:porch', credential: 'd' })
  expect(servers.list()[1]).toContain('1700001200')
  now += 600_000
  expect(servers.list()).toEqual(own)
})
