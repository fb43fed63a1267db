import { expect, test } from 'vitest'
import { usernameOf } from './attack.ts'
import { gatewayOnNodeDataChannel } from './node-datachannel.ts'
import { knownWeaknesses, withstands } from './suite.ts'
import { started, victim } from './victim.ts'
import { runtAfterIndication, runtAfterReplay, runtAfterUfrag, runtFromPeer } from './weaknesses.ts'

const name = 'the gateway on node-datachannel'

withstands(name, gatewayOnNodeDataChannel, [runtAfterIndication])

test(`${name}: the user name that lets an address in is long enough not to be guessed`, async () => {
  const { fromPeer } = (await victim(await started(gatewayOnNodeDataChannel))).engine
  const [ufrag] = usernameOf(fromPeer).split(':')
  expect(ufrag).toMatch(/^[A-Za-z0-9+/]{20}$/)
})

knownWeaknesses(name, gatewayOnNodeDataChannel, [runtFromPeer, runtAfterReplay, runtAfterUfrag])
