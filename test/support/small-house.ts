import { type CameraOptions, type SimulatedCamera, startCamera } from '../sim/start-camera.ts'
import type { AtEnd } from './child.ts'
import { AgentHouse, cameraThat, GatewayHouse } from './house.ts'

/** A simulated camera with a small picture, its agent and the gateway, once the camera is live. */
export interface SmallHouse {
  camera: SimulatedCamera
  gateway: GatewayHouse
  agent: AgentHouse
}

/**
 * @param options of the camera, over a small picture in H.264
 * @param gatewaySettings as its config file has them
 */
export async function openSmallHouse(
  atEnd: AtEnd,
  options: CameraOptions = {},
  gatewaySettings: Record<string, unknown> = {},
): Promise<SmallHouse> {
  const camera = await startCamera({ small: true, ...options })
  atEnd(() => camera.close())
  const gateway = await GatewayHouse.open(atEnd, gatewaySettings)
  const settings = { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: false } }
  const agent = await AgentHouse.open(gateway, settings, atEnd)
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
  return { camera, gateway, agent }
}
