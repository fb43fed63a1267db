/**
 * The extension that bounds what the house's authority can vouch for (RFC 5280 §4.2.1.10): names below `.local` and
 * addresses that exist only inside houses. Whoever steals its key cannot pretend to be a bank.
 */
export const nameConstraintsOid = '2.5.29.30'

/** DNS names (with everything below them) and IPv4 networks `address/bits`. */
export interface Permitted {
  names: readonly string[]
  networks: readonly string[]
}

export const houseOnly: Permitted = {
  names: ['local', 'localhost'],
  networks: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '127.0.0.0/8'],
}

/** DER of `NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees }`. */
export function nameConstraints({ names, networks }: Permitted): Uint8Array {
  // GeneralName: dNSName is [2], iPAddress is [7]: the address followed by its mask.
  const dns = names.map((name) => tlv(0x30, tlv(0x82, new TextEncoder().encode(name))))
  const ip = networks.map((network) => tlv(0x30, tlv(0x87, addressAndMask(network))))
  return tlv(0x30, tlv(0xa0, Buffer.concat([...dns, ...ip])))
}

function addressAndMask(network: string): Uint8Array {
  const [address, bits] = network.split('/') as [string, string]
  const mask = (0xffff_ffff << (32 - Number(bits))) >>> 0
  const bytes = Buffer.alloc(8)
  bytes.set(address.split('.').map(Number))
  bytes.writeUInt32BE(mask, 4)
  return bytes
}

/** One value with its tag and length (X.690 §8.1); up to 64 KB. */
function tlv(tag: number, value: Uint8Array): Uint8Array {
  const { length } = value
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), value])
}
