import { generateIdentity, identityToPem } from '@porchlight/proto/identity/keys.ts'
import type { Relay } from '@porchlight/proto/messages/relay.ts'
import { type AtEnd, type Child, startNode } from './child.ts'
import { cameraThat, type GatewayHouse } from './house.ts'

/** The camera of {@link startForeignDevice}. */
export const foreignCamera = 'foreign.door'

/**
 * Enrols and starts a device on libwebrtc that sends VP9 and Opus, and waits until the gateway knows it.
 * @param relay the TURN server that all its media goes over; default: it has none
 */
export async function startForeignDevice(gateway: GatewayHouse, atEnd: AtEnd, relay?: Relay): Promise<Child> {
  const identity = generateIdentity()
  const enrolment = await gateway.cli('enroll', 'foreign', '--key', identity.publicKey)
  const args = [`--enrolment=${enrolment}`, `--key=${identityToPem(identity)}`]
  if (relay) args.push(`--relay=${JSON.stringify(relay)}`)
  const device = startNode(new URL('../sim/libwebrtc/device.ts', import.meta.url), { args }, atEnd)
  await device.json((line) => line.ready === true)
  await cameraThat(gateway, foreignCamera, (notice) => notice.online)
  return device
}
