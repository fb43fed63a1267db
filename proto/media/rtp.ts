/** RTP packets (RFC 3550 §5.1) and their header extensions (RFC 8285). Times of RTP are ticks of the payload's clock. */

export interface RtpExtension {
  /** 1–14 in the one-byte form, 1–255 in the two-byte form. */
  id: number
  data: Uint8Array
}

export interface RtpPacket {
  marker: boolean
  payloadType: number
  /** uint16 */
  sequence: number
  /** uint32, ticks of the payload's clock. */
  timestamp: number
  ssrc: number
  extensions: RtpExtension[]
  /** A view of the bytes that were parsed, padding taken off. */
  payload: Uint8Array
}

const noExtensions: RtpExtension[] = []

/** RTP and RTCP on one port: packet types 64–95 of the 7-bit field are RTCP (RFC 5761 §4). */
export function isRtcp(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[1]! >= 192 && bytes[1]! <= 223
}

/** Parses one packet; undefined where it is malformed. Nothing is copied: payload and extensions are views. */
export function parseRtp(bytes: Uint8Array): RtpPacket | undefined {
  const length = bytes.length
  if (length < 12 || bytes[0]! >> 6 !== 2) return undefined
  const first = bytes[0]!
  let offset = 12 + (first & 0x0f) * 4
  let extensions = noExtensions
  if (first & 0x10) {
    if (offset + 4 > length) return undefined
    const profile = (bytes[offset]! << 8) | bytes[offset + 1]!
    const end = offset + 4 + ((bytes[offset + 2]! << 8) | bytes[offset + 3]!) * 4
    if (end > length) return undefined
    extensions = parseExtensions(bytes, profile, offset + 4, end)
    offset = end
  }
  let end = length
  if (first & 0x20) {
    const padding = bytes[length - 1]!
    if (padding === 0 || offset + padding > length) return undefined
    end -= padding
  }
  if (offset > end) return undefined
  return {
    marker: (bytes[1]! & 0x80) !== 0,
    payloadType: bytes[1]! & 0x7f,
    sequence: (bytes[2]! << 8) | bytes[3]!,
    timestamp: readUint32(bytes, 4),
    ssrc: readUint32(bytes, 8),
    extensions,
    payload: bytes.subarray(offset, end),
  }
}

function parseExtensions(bytes: Uint8Array, profile: number, start: number, end: number): RtpExtension[] {
  const oneByte = profile === 0xbede // RFC 8285 §4.2
  const twoByte = (profile & 0xfff0) === 0x1000 // RFC 8285 §4.3
  if (!oneByte && !twoByte) return noExtensions
  const extensions: RtpExtension[] = []
  let at = start
  while (at < end) {
    const head = bytes[at]!
    if (head === 0) {
      at += 1 // padding
      continue
    }
    let id = head
    let size: number
    if (oneByte) {
      id = head >> 4
      if (id === 15) break // reserved: stop here (RFC 8285 §4.2)
      size = (head & 0x0f) + 1
      at += 1
    } else {
      if (at + 1 >= end) break
      size = bytes[at + 1]!
      at += 2
    }
    if (at + size > end) break
    extensions.push({ id, data: bytes.subarray(at, at + size) })
    at += size
  }
  return extensions
}

/**
 * Writes one packet, extensions in the one-byte form (ids 1–14, 1–16 bytes each; others are left out).
 * @param into where to write; a view of it is returned. Without it (or where it is too small) new bytes are made.
 */
export function writeRtp(packet: RtpPacket, into?: Uint8Array): Uint8Array {
  let extensionBytes = 0
  for (const extension of packet.extensions) if (isWritable(extension)) extensionBytes += 1 + extension.data.length
  const words = (extensionBytes + 3) >> 2
  const header = words > 0 ? 16 + words * 4 : 12
  const size = header + packet.payload.length
  const bytes = into !== undefined && into.length >= size ? into.subarray(0, size) : new Uint8Array(size)
  bytes[0] = words > 0 ? 0x90 : 0x80
  bytes[1] = (packet.marker ? 0x80 : 0) | (packet.payloadType & 0x7f)
  bytes[2] = packet.sequence >> 8
  bytes[3] = packet.sequence
  writeUint32(bytes, 4, packet.timestamp)
  writeUint32(bytes, 8, packet.ssrc)
  if (words > 0) {
    bytes[12] = 0xbe
    bytes[13] = 0xde
    bytes[14] = words >> 8
    bytes[15] = words
    let at = 16
    for (const extension of packet.extensions) {
      if (!isWritable(extension)) continue
      bytes[at] = (extension.id << 4) | (extension.data.length - 1)
      bytes.set(extension.data, at + 1)
      at += 1 + extension.data.length
    }
    bytes.fill(0, at, header)
  }
  bytes.set(packet.payload, header)
  return bytes
}

function isWritable(extension: RtpExtension): boolean {
  return extension.id >= 1 && extension.id <= 14 && extension.data.length >= 1 && extension.data.length <= 16
}

/** Makes one growing line out of 16-bit sequence numbers; small steps back stay below the highest. */
export class SequenceUnwrapper {
  #last: number | undefined

  /** @param sequence uint16 @returns a number that goes on over wraps; the first is `sequence` itself + 65536 */
  unwrap(sequence: number): number {
    const last = this.#last
    if (last === undefined) {
      this.#last = sequence + 0x10000
      return this.#last
    }
    const value = last + (((sequence - last) << 16) >> 16)
    if (value > last) this.#last = value
    return value
  }
}

/** The same for 32-bit RTP timestamps. */
export class TimestampUnwrapper {
  #last: number | undefined

  /** @param timestamp uint32 @returns ticks on one line that goes on over wraps */
  unwrap(timestamp: number): number {
    const last = this.#last
    if (last === undefined) {
      this.#last = timestamp + 2 ** 32
      return this.#last
    }
    const value = last + ((timestamp - last) | 0)
    this.#last = value
    return value
  }
}

/** Seconds from 1900 (NTP) to 1970 (Unix). */
const ntpEpochSeconds = 2_208_988_800

/** The count of padding bytes, the last of them, is one byte (RFC 3550 §5.1). */
export const mostPadding = 255

/** The packet says that its last bytes are padding. */
export function markPadded(packet: Uint8Array): void {
  packet[0]! |= 0x20
}

/** @param ms since the Unix epoch, with fractions @returns NTP time as UQ32.32 (RFC 3550 §4) */
export function ntpFromMs(ms: number): bigint {
  const seconds = Math.floor(ms / 1000)
  const fraction = Math.floor(((ms - seconds * 1000) / 1000) * 2 ** 32)
  return (BigInt((seconds + ntpEpochSeconds) >>> 0) << 32n) | BigInt(fraction)
}

/** @param ntp UQ32.32 @returns its middle 32 bits, by which reports name it (RFC 3550 §6.4.1, LSR) */
export function middleNtp(ntp: bigint): number {
  return Number((ntp >> 16n) & 0xffffffffn)
}

/** @param ntp UQ32.32 @returns ms since the Unix epoch, with fractions. Era 0 up to 2036, then era 1 (RFC 4330 §3). */
export function msFromNtp(ntp: bigint): number {
  let seconds = Number((ntp >> 32n) & 0xffffffffn)
  if (seconds < 0x80000000) seconds += 2 ** 32
  return (seconds - ntpEpochSeconds) * 1000 + (Number(ntp & 0xffffffffn) / 2 ** 32) * 1000
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
