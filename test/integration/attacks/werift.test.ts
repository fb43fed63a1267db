import { weriftEngine } from '../../../device/webrtc/werift/engine.ts'
import { quietLog } from '../../support/quiet-log.ts'
import { openDeviceEnd } from './device-end.ts'
import type { EngineUnderAttack } from './engine-under-attack.ts'
import { withstands } from './suite.ts'
import { runtAfterIndication, runtAfterReplay, runtFromPeer } from './weaknesses.ts'

async function deviceOnWerift(): Promise<EngineUnderAttack> {
  const engine = weriftEngine(quietLog)
  return { open: (peer) => openDeviceEnd(engine, peer), close: async () => undefined }
}

withstands('the device on werift', deviceOnWerift, [runtFromPeer, runtAfterReplay, runtAfterIndication])
