import { deviceOnNodeDataChannel } from './node-datachannel.ts'
import { knownWeaknesses, takesHellos, withstands } from './suite.ts'
import { runtAfterIndication, runtAfterReplay, runtFromPeer } from './weaknesses.ts'

const name = 'the device on node-datachannel'

withstands(name, deviceOnNodeDataChannel)
takesHellos(name, deviceOnNodeDataChannel)
knownWeaknesses(name, deviceOnNodeDataChannel, [runtFromPeer, runtAfterReplay, runtAfterIndication])
