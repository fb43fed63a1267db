import { makeDeviceToken } from '@porchlight/proto/identity/device-token.ts'
import { generateIdentity } from '@porchlight/proto/identity/keys.ts'
import { describe, expect, it } from 'vitest'
import { Devices } from '../../../../gateway/auth/devices.ts'
import { memoryIndex } from '../../../support/memory-index.ts'

const now = 1_700_000_000_000
const code = (name: string) => expect.objectContaining({ code: name })

async function setUp() {
  const gateway = generateIdentity()
  const devices = new Devices({ db: await memoryIndex(), gatewayKey: gateway.publicKey, now: () => now })
  return { devices, gateway, porch: generateIdentity() }
}

describe('Devices', () => {
  it('knows an enrolled device by its token', async () => {
    const { devices, gateway, porch } = await setUp()
    await devices.enrol('porch', porch.publicKey)
    const token = makeDeviceToken('porch', gateway.publicKey, porch.privateKey, now)
    expect(await devices.check(token)).toEqual({ kind: 'device', device: 'porch' })
  })

  it('refuses strangers, other gateways’ tokens, old ones and nonsense', async () => {
    const { devices, gateway, porch } = await setUp()
    await devices.enrol('porch', porch.publicKey)
    const stranger = generateIdentity()
    const bad = [
      makeDeviceToken('porch', gateway.publicKey, stranger.privateKey, now),
      makeDeviceToken('garden', gateway.publicKey, porch.privateKey, now),
      makeDeviceToken('porch', stranger.publicKey, porch.privateKey, now),
      'porch.1.x',
      '',
    ]
    for (const token of bad) await expect(devices.check(token)).rejects.toEqual(code('signature_invalid'))
    const old = makeDeviceToken('porch', gateway.publicKey, porch.privateKey, now - 3_600_000)
    await expect(devices.check(old)).rejects.toEqual(code('message_expired'))
  })

  it('gives a name to one key, until it is revoked', async () => {
    const { devices, gateway, porch } = await setUp()
    const next = generateIdentity()
    await devices.enrol('porch', porch.publicKey)
    await devices.enrol('porch', porch.publicKey)
    await expect(devices.enrol('porch', next.publicKey)).rejects.toEqual(code('device_exists'))
    await devices.revoke('porch')
    expect(await devices.key('porch')).toBeUndefined()
    const token = makeDeviceToken('porch', gateway.publicKey, porch.privateKey, now)
    await expect(devices.check(token)).rejects.toEqual(code('signature_invalid'))
    await expect(devices.revoke('porch')).rejects.toEqual(code('device_not_found'))
    await devices.enrol('porch', next.publicKey)
    expect(await devices.list()).toMatchObject([{ name: 'porch', public_key: next.publicKey, revoked_at: null }])
  })

  it.each(['gateway', 'Porch', '', 'a b', '../x', 'x'.repeat(33)])('refuses the name %j', async (name) => {
    const { devices, porch } = await setUp()
    await expect(devices.enrol(name, porch.publicKey)).rejects.toEqual(code('enrolment_invalid'))
  })

  it('refuses what is no key', async () => {
    const { devices } = await setUp()
    await expect(devices.enrol('porch', 'nonsense')).rejects.toEqual(code('enrolment_invalid'))
  })
})
