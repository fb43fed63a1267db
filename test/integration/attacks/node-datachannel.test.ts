import { expect, test } from 'vitest'
import { usernameOf } from './attack.ts'
import { deviceOnNodeDataChannel, gatewayOnNodeDataChannel } from './node-datachannel.ts'
import { knownWeaknesses, takesHellos, withstands } from './suite.ts'
import { started, victim } from './victim.ts'
import { runtAfterIndication, runtAfterReplay, runtAfterUfrag, runtFromPeer } from './weaknesses.ts'

const [gateway, device] = ['the gateway on node-datachannel', 'the device on node-datachannel']

withstands(gateway, gatewayOnNodeDataChannel, [runtAfterIndication])
withstands(device, deviceOnNodeDataChannel)
takesHellos(device, deviceOnNodeDataChannel)

test(`${gateway}: the user name that lets an address in is long enough not to be guessed`, async () => {
  const { fromPeer } = (await victim(await started(gatewayOnNodeDataChannel))).engine
  const [ufrag] = usernameOf(fromPeer).split(':')
  expect(ufrag).toMatch(/^[A-Za-z0-9+/]{20}$/)
})

knownWeaknesses(gateway, gatewayOnNodeDataChannel, [runtFromPeer, runtAfterReplay, runtAfterUfrag])
knownWeaknesses(device, deviceOnNodeDataChannel, [runtFromPeer, runtAfterReplay, runtAfterIndication])
