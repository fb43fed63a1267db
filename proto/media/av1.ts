/** AV1 in RTP (the AOMedia payload format): OBUs travel without their size fields and without temporal delimiters. */
export const av1Obu = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  metadata: 5,
  frame: 6,
  tileList: 8,
  padding: 15,
} as const

/** N of the aggregation header: the packet begins a coded video sequence, which is a keyframe (§4.4). */
export function av1Start(payload: Uint8Array): boolean {
  return payload.length > 1 && (payload[0]! & 0x88) === 0x08
}

export function obuType(obu: Uint8Array): number {
  return ((obu[0] ?? 0) >> 3) & 0x0f
}

/** leb128 (AV1 §4.10.5), at most 8 bytes. */
export function readLeb128(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  let value = 0
  for (let index = 0; index < 8; index += 1) {
    const byte = bytes[at + index]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * index)
    if ((byte & 0x80) === 0) return value <= 0xffffffff ? { value, next: at + index + 1 } : undefined
  }
  return undefined
}

export function writeLeb128(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return Uint8Array.from(bytes)
}

/** Splits a low-overhead bitstream (every OBU with a size field, §5.2) into whole OBUs; what cannot be read ends it. */
export function splitObus(bytes: Uint8Array): Uint8Array[] {
  const obus: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const head = bytes[at]!
    const start = at
    let next = at + (head & 0x04 ? 2 : 1)
    if (head & 0x02) {
      const size = readLeb128(bytes, next)
      if (size === undefined) break
      next = size.next + size.value
    } else next = bytes.length
    if (next > bytes.length) break
    obus.push(bytes.subarray(start, next))
    at = next
  }
  return obus
}

/** The OBU without its size field: how it travels in RTP (§4.5). */
export function withoutSize(obu: Uint8Array): Uint8Array {
  const head = obu[0] ?? 0
  if ((head & 0x02) === 0) return obu
  const headBytes = head & 0x04 ? 2 : 1
  const size = readLeb128(obu, headBytes)
  if (size === undefined) return obu
  const bytes = new Uint8Array(headBytes + Math.max(0, obu.length - size.next))
  bytes.set(obu.subarray(0, headBytes))
  bytes[0] = head & ~0x02
  bytes.set(obu.subarray(size.next), headBytes)
  return bytes
}

/** The OBU with a size field: how decoders and files want it. */
export function withSize(obu: Uint8Array): Uint8Array {
  const head = obu[0] ?? 0
  if (head & 0x02 || obu.length === 0) return obu
  const headBytes = Math.min(obu.length, head & 0x04 ? 2 : 1)
  const size = writeLeb128(obu.length - headBytes)
  const bytes = new Uint8Array(obu.length + size.length)
  bytes.set(obu.subarray(0, headBytes))
  bytes[0] = head | 0x02
  bytes.set(size, headBytes)
  bytes.set(obu.subarray(headBytes), headBytes + size.length)
  return bytes
}
