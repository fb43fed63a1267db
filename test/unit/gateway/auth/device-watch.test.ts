import { makeDeviceToken } from '@porchlight/proto/identity/device-token.ts'
import { generateIdentity } from '@porchlight/proto/identity/keys.ts'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DeviceWatch } from '../../../../gateway/auth/device-watch.ts'
import { Devices } from '../../../../gateway/auth/devices.ts'
import { memoryIndex } from '../../../support/memory-index.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const now = 1_700_000_000_000

async function setUp() {
  const gatewayKey = generateIdentity().publicKey
  const options = { db: await memoryIndex(), gatewayKey, now: () => now }
  const devices = new Devices(options)
  const gone: string[] = []
  const watch = new DeviceWatch({
    ...{ devices, log: quietLog, intervalMs: 3_600_000 },
    gone: (device) => gone.push(device),
  })
  onTestFinished(() => watch.close())
  await watch.look()
  /** Shows the device's token to the gateway, as on every connection. */
  const come = (device: string, { privateKey }: ReturnType<typeof generateIdentity>) =>
    devices.check(makeDeviceToken(device, gatewayKey, privateKey, now))
  // `commandLine` is what `gateway enroll` and `gateway revoke` have beside the gateway.
  return { watch, gone, come, commandLine: new Devices(options) }
}

describe('DeviceWatch', () => {
  it('tells of a revoked device once', async () => {
    const { watch, gone, commandLine } = await setUp()
    await commandLine.enrol('porch', generateIdentity().publicKey)
    await watch.look()
    expect(gone).toEqual([])
    await commandLine.revoke('porch')
    await watch.look()
    await watch.look()
    expect(gone).toEqual(['porch'])
  })

  it('tells of one that was enrolled, came and was revoked between two looks', async () => {
    const { watch, gone, come, commandLine } = await setUp()
    const porch = generateIdentity()
    await commandLine.enrol('porch', porch.publicKey)
    await come('porch', porch)
    await commandLine.revoke('porch')
    await watch.look()
    expect(gone).toEqual(['porch'])
  })

  it('tells of one whose name has another key now, also between two looks', async () => {
    const { watch, gone, come, commandLine } = await setUp()
    const porch = generateIdentity()
    await commandLine.enrol('porch', porch.publicKey)
    await come('porch', porch)
    await commandLine.revoke('porch')
    await commandLine.enrol('porch', generateIdentity().publicKey)
    await watch.look()
    expect(gone).toEqual(['porch'])
  })

  it('leaves alone who is new and who stays', async () => {
    const { watch, gone, come, commandLine } = await setUp()
    const porch = generateIdentity()
    await commandLine.enrol('porch', porch.publicKey)
    await come('porch', porch)
    await watch.look()
    await come('porch', porch)
    await watch.look()
    expect(gone).toEqual([])
  })
})
