import { networkInterfaces } from 'node:os'

/** A machine with more is no doorbell. */
const maxAddresses = 16

/**
 * Addresses that get a socket each: the one that is configured, else all that others reach us at, else loopback.
 * IPv6 addresses of a link only are left out: the other side could not name the link.
 */
export function localAddresses(bindAddress: string | undefined): string[] {
  if (bindAddress !== undefined) return [bindAddress]
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:|^169\.254\./i.test(address))
    .map(({ address }) => address)
  return found.length > 0 ? found.slice(0, maxAddresses) : ['127.0.0.1']
}
