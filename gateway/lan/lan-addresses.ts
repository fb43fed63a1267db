import { isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/** Interfaces of containers, virtual machines and tunnels: no phone is there. */
const virtual = /^(?:docker|br-|veth|virbr|vmnet|vboxnet|cni|flannel|tailscale|utun|tun|tap|wg|zt)/

/**
 * Addresses at which a phone in the same house finds this machine, the likeliest first: private IPv4 (RFC 1918) of real
 * interfaces, then link-local IPv4.
 * @param interfaces what `os.networkInterfaces()` says
 */
export function lanAddresses(interfaces: Interfaces): string[] {
  const found: string[] = []
  for (const [name, addresses] of Object.entries(interfaces)) {
    if (virtual.test(name)) continue
    for (const { address, family, internal } of addresses ?? [])
      if (!internal && family === 'IPv4' && isLanAddress(address)) found.push(address)
  }
  return found.sort((a, b) => Number(a.startsWith('169.254.')) - Number(b.startsWith('169.254.')))
}

/** Whether an IPv4 address is private (RFC 1918 §3) or link-local (RFC 3927 §2.1). */
export function isLanAddress(address: string): boolean {
  if (isIP(address) !== 4) return false
  const [a, b] = address.split('.').map(Number) as [number, number, number, number]
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254)
}
