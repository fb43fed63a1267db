import { type CameraOptions, type SimulatedCamera, startCamera } from '../sim/start-camera.ts'
import type { AtEnd } from '../support/child.ts'
import { AgentHouse, cameraThat, GatewayHouse } from '../support/house.ts'
import type { WhepTarget } from './whep-page.ts'

export interface HouseTarget extends WhepTarget {
  /** Where the gateway takes media, UDP. */
  mediaPort: number
  /** Of the gateway's process. */
  gatewayPid: number
  camera: SimulatedCamera
}

export interface HouseOptions {
  /** The camera's small stream goes along. */
  sub?: boolean
  /** The agent looks for motion (by default): the simulated camera always moves, so that it is recorded all the time. */
  motion?: boolean
  /** Settings of the gateway. */
  gateway?: Record<string, unknown>
}

/** The whole house: a camera in this process, gateway and agent in theirs. */
export async function openHouse(
  stack: AsyncDisposableStack,
  cameraOptions: CameraOptions,
  options: HouseOptions = {},
): Promise<HouseTarget> {
  const atEnd: AtEnd = (cleanUp) => stack.defer(cleanUp)
  const camera = stack.use(await startCamera(cameraOptions))
  const gateway = await GatewayHouse.open(atEnd, options.gateway)
  const source = { url: camera.url, ...(options.sub ? { sub: camera.subUrl } : {}) }
  const motion = { enabled: options.motion ?? true }
  const agent = await AgentHouse.open(gateway, { source, motion }, atEnd)
  await cameraThat(gateway, agent.camera, ({ state, online }) => online && state === 'live')
  return {
    ...(await whepTarget(gateway, agent.camera)),
    mediaPort: gateway.mediaPort,
    gatewayPid: gateway.process.pid,
    camera,
  }
}

/** A camera as a script with an access token sees it. */
export async function whepTarget(gateway: GatewayHouse, camera: string): Promise<WhepTarget> {
  const token = (await gateway.cli('token', '--camera', camera, '--ttl', '1h')).split(/\s+/).at(-1)!
  return {
    page: `${gateway.url}/api/health`,
    whep: `${gateway.url}/api/cameras/${camera}/whep`,
    headers: { authorization: `Bearer ${token}` },
  }
}
