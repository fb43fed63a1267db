import { nodeDataChannelEngine } from '../../../device/webrtc/node-datachannel.ts'
import { NodeDataChannelEngine } from '../../../gateway/webrtc/node-datachannel.ts'
import { freeUdpPort } from '../../support/ports.ts'
import { quietLog } from '../../support/quiet-log.ts'
import { openDeviceEnd } from './device-end.ts'
import type { EngineUnderAttack } from './engine-under-attack.ts'
import { openGatewayEnd } from './gateway-end.ts'

/** The gateway's engine, all of its sessions on one UDP port. */
export async function gatewayOnNodeDataChannel(): Promise<EngineUnderAttack & { engine: NodeDataChannelEngine }> {
  const port = await freeUdpPort()
  const engine = new NodeDataChannelEngine({ bindAddress: '127.0.0.1', port, announce: [], log: quietLog })
  return { engine, open: (peer, alter) => openGatewayEnd(engine, port, peer, alter), close: () => engine.close() }
}

/** The device's engine, a UDP port for each session. */
export async function deviceOnNodeDataChannel(): Promise<EngineUnderAttack> {
  const engine = nodeDataChannelEngine(quietLog)
  return { open: (peer, alter) => openDeviceEnd(engine, peer, alter), close: async () => undefined }
}
