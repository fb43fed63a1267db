import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { isIPv6 } from 'node:net'
import { PorchlightError } from '@porchlight/proto/errors.ts'

/**
 * Finds out whether a UDP port is free, because the engine would only say so at the first session.
 * @param port 0: any free one
 * @returns the port
 * @throws PorchlightError `port_in_use`, `config_invalid` where the address is none of this machine's
 */
export async function takeUdpPort(address: string, port: number): Promise<number> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  try {
    socket.bind(port, address)
    await once(socket, 'listening')
    return (socket.address() as AddressInfo).port
  } catch (cause) {
    const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw new PorchlightError(inUse ? 'port_in_use' : 'config_invalid', `media ${address}:${port}/udp`, { cause })
  } finally {
    socket.close()
  }
}
