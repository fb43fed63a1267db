import { weriftEngine } from '../../../device/webrtc/werift/engine.ts'
import { quietLog } from '../../support/quiet-log.ts'
import { openDeviceEnd } from './device-end.ts'
import type { EngineUnderAttack } from './engine-under-attack.ts'
import { takesHellos, withstands } from './suite.ts'
import { runtAfterIndication, runtAfterReplay, runtFromPeer } from './weaknesses.ts'

async function deviceOnWerift(): Promise<EngineUnderAttack> {
  const engine = weriftEngine(quietLog)
  return { open: (peer, alter) => openDeviceEnd(engine, peer, alter), close: async () => undefined }
}

const device = 'the device on werift'
withstands(device, deviceOnWerift, [runtFromPeer, runtAfterReplay, runtAfterIndication])
takesHellos(device, deviceOnWerift)
