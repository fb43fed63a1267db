import { parseReports, type ReportBlock, writeReports } from './report-block.ts'
import { parseTransportFeedback, type TransportFeedback, writeTransportFeedback } from './transport-cc.ts'

export type { ReportBlock } from './report-block.ts'

export interface SenderReport {
  type: 'sr'
  ssrc: number
  /** UQ32.32. */
  ntp: bigint
  /** The RTP timestamp of the same moment. */
  rtp: number
  packets: number
  octets: number
  reports: ReportBlock[]
}

export interface ReceiverReport {
  type: 'rr'
  ssrc: number
  reports: ReportBlock[]
}

/** Generic NACK (RFC 4585 §6.2.1): sequence numbers of `media` that did not come. */
export interface Nack {
  type: 'nack'
  sender: number
  media: number
  lost: number[]
}

/** RFC 5104 §4.3.1: each target with its command number, which a repeated request keeps. */
export interface FullIntraRequest {
  type: 'fir'
  sender: number
  requests: { ssrc: number; sequence: number }[]
}

/** draft-alvestrand-rmcat-remb-03, bits per second. */
export interface Remb {
  type: 'remb'
  sender: number
  bitrate: number
  ssrcs: number[]
}

export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | { type: 'sdes'; chunks: { ssrc: number; cname: string }[] }
  | { type: 'bye'; ssrcs: number[] }
  | { type: 'pli'; sender: number; media: number }
  | FullIntraRequest
  | Nack
  | Remb
  | TransportFeedback

/**
 * Takes a compound packet apart (RFC 3550 §6.1, reduced size allowed: RFC 5506). Kinds we do not know are left out;
 * parsing ends quietly where a length does not fit. Never throws.
 */
export function parseRtcp(bytes: Uint8Array): RtcpPacket[] {
  const packets: RtcpPacket[] = []
  let at = 0
  while (at + 4 <= bytes.length) {
    const first = bytes[at]!
    const end = at + 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!) * 4
    if (first >> 6 !== 2 || end > bytes.length) break
    // RFC 3550 §6.4.1: padding counts inside the length; its last byte says how much.
    const padding = first & 0x20 ? bytes[end - 1]! : 0
    const bodyEnd = end - padding
    if (bodyEnd < at + 4) break
    const view = new DataView(bytes.buffer, bytes.byteOffset + at + 4, bodyEnd - at - 4)
    const packet = parseOne(bytes[at + 1]!, first & 0x1f, view)
    if (packet) packets.push(packet)
    at = end
  }
  return packets
}

function parseOne(packetType: number, count: number, view: DataView): RtcpPacket | undefined {
  switch (packetType) {
    case 200:
      return parseSenderReport(count, view)
    case 201:
      if (view.byteLength < 4) return undefined
      return { type: 'rr', ssrc: view.getUint32(0), reports: parseReports(view, 4, count) }
    case 202:
      return { type: 'sdes', chunks: parseSdes(view, count) }
    case 203: {
      const ssrcs: number[] = []
      for (let i = 0; i < count && i * 4 + 4 <= view.byteLength; i++) ssrcs.push(view.getUint32(i * 4))
      return { type: 'bye', ssrcs }
    }
    case 205:
      if (view.byteLength < 8) return undefined
      if (count === 1) return parseNack(view)
      return count === 15 ? parseTransportFeedback(view) : undefined
    case 206:
      return view.byteLength < 8 ? undefined : parsePayloadFeedback(count, view)
    default:
      return undefined
  }
}

function parseSenderReport(count: number, view: DataView): SenderReport | undefined {
  if (view.byteLength < 24) return undefined
  return {
    type: 'sr',
    ssrc: view.getUint32(0),
    ntp: view.getBigUint64(4),
    rtp: view.getUint32(12),
    packets: view.getUint32(16),
    octets: view.getUint32(20),
    reports: parseReports(view, 24, count),
  }
}

function parseSdes(view: DataView, count: number): { ssrc: number; cname: string }[] {
  const chunks: { ssrc: number; cname: string }[] = []
  let at = 0
  for (let i = 0; i < count && at + 4 <= view.byteLength; i++) {
    const chunk = { ssrc: view.getUint32(at), cname: '' }
    at += 4
    while (at < view.byteLength && view.getUint8(at) !== 0) {
      if (at + 2 > view.byteLength) return chunks
      const length = view.getUint8(at + 1)
      if (at + 2 + length > view.byteLength) return chunks
      if (view.getUint8(at) === 1) {
        chunk.cname = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 2, length))
      }
      at += 2 + length
    }
    // RFC 3550 §6.5: a chunk ends with at least one null byte, on a 32-bit boundary.
    at = (at + 4) & ~3
    chunks.push(chunk)
  }
  return chunks
}

function parseNack(view: DataView): Nack {
  const lost: number[] = []
  for (let at = 8; at + 4 <= view.byteLength; at += 4) {
    const first = view.getUint16(at)
    const mask = view.getUint16(at + 2)
    lost.push(first)
    for (let bit = 0; bit < 16; bit++) if (mask & (1 << bit)) lost.push((first + bit + 1) & 0xffff)
  }
  return { type: 'nack', sender: view.getUint32(0), media: view.getUint32(4), lost }
}

function parsePayloadFeedback(format: number, view: DataView): RtcpPacket | undefined {
  const sender = view.getUint32(0)
  if (format === 1) return { type: 'pli', sender, media: view.getUint32(4) }
  if (format === 4) {
    const requests: { ssrc: number; sequence: number }[] = []
    for (let at = 8; at + 8 <= view.byteLength; at += 8) {
      requests.push({ ssrc: view.getUint32(at), sequence: view.getUint8(at + 4) })
    }
    return { type: 'fir', sender, requests }
  }
  // draft-alvestrand-rmcat-remb-03 §2.2: 'REMB', number of SSRCs, 6 bits of exponent, 18 bits of mantissa.
  if (format !== 15 || view.byteLength < 16 || view.getUint32(8) !== 0x52454d42) return undefined
  const word = view.getUint32(12)
  const ssrcs: number[] = []
  for (let i = 0, at = 16; i < word >>> 24 && at + 4 <= view.byteLength; i++, at += 4) ssrcs.push(view.getUint32(at))
  return { type: 'remb', sender, bitrate: (word & 0x3ffff) * 2 ** ((word >>> 18) & 0x3f), ssrcs }
}

/** Writes a compound packet in the given order; the caller puts a report first where RFC 3550 §6.1 asks for it. */
export function writeRtcp(packets: readonly RtcpPacket[]): Uint8Array {
  const parts = packets.map(writeOne)
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function frame(packetType: number, count: number, bodyBytes: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(4 + bodyBytes)
  bytes[0] = 0x80 | count
  bytes[1] = packetType
  bytes[2] = bodyBytes >> 10
  bytes[3] = bodyBytes >> 2
  return { bytes, view: new DataView(bytes.buffer, 4) }
}

function writeOne(packet: RtcpPacket): Uint8Array {
  switch (packet.type) {
    case 'sr': {
      const { bytes, view } = frame(200, packet.reports.length, 24 + packet.reports.length * 24)
      view.setUint32(0, packet.ssrc)
      view.setBigUint64(4, packet.ntp)
      view.setUint32(12, packet.rtp)
      view.setUint32(16, packet.packets)
      view.setUint32(20, packet.octets)
      writeReports(view, 24, packet.reports)
      return bytes
    }
    case 'rr': {
      const { bytes, view } = frame(201, packet.reports.length, 4 + packet.reports.length * 24)
      view.setUint32(0, packet.ssrc)
      writeReports(view, 4, packet.reports)
      return bytes
    }
    case 'sdes':
      return writeSdes(packet.chunks)
    case 'bye': {
      const { bytes, view } = frame(203, packet.ssrcs.length, packet.ssrcs.length * 4)
      packet.ssrcs.forEach((ssrc, i) => {
        view.setUint32(i * 4, ssrc)
      })
      return bytes
    }
    case 'pli': {
      const { bytes, view } = frame(206, 1, 8)
      view.setUint32(0, packet.sender)
      view.setUint32(4, packet.media)
      return bytes
    }
    case 'fir': {
      const { bytes, view } = frame(206, 4, 8 + packet.requests.length * 8)
      view.setUint32(0, packet.sender)
      packet.requests.forEach((request, i) => {
        view.setUint32(8 + i * 8, request.ssrc)
        view.setUint8(12 + i * 8, request.sequence)
      })
      return bytes
    }
    case 'nack':
      return writeNack(packet)
    case 'remb':
      return writeRemb(packet)
    case 'twcc':
      return writeTransportFeedback(packet)
  }
}

function writeSdes(chunks: readonly { ssrc: number; cname: string }[]): Uint8Array {
  const names = chunks.map((chunk) => new TextEncoder().encode(chunk.cname).subarray(0, 255))
  const sizes = names.map((cname) => 4 + ((2 + cname.length + 4) & ~3))
  const { bytes, view } = frame(
    202,
    chunks.length,
    sizes.reduce((sum, size) => sum + size, 0),
  )
  let at = 0
  chunks.forEach((chunk, i) => {
    view.setUint32(at, chunk.ssrc)
    view.setUint8(at + 4, 1)
    view.setUint8(at + 5, names[i]!.length)
    bytes.set(names[i]!, 4 + at + 6)
    at += sizes[i]!
  })
  return bytes
}

function writeNack(packet: Nack): Uint8Array {
  const pairs: { first: number; mask: number }[] = []
  for (const sequence of packet.lost) {
    const last = pairs.at(-1)
    const distance = last ? (sequence - last.first) & 0xffff : 0
    if (last && distance >= 1 && distance <= 16) last.mask |= 1 << (distance - 1)
    else if (!last || distance !== 0) pairs.push({ first: sequence & 0xffff, mask: 0 })
  }
  const { bytes, view } = frame(205, 1, 8 + pairs.length * 4)
  view.setUint32(0, packet.sender)
  view.setUint32(4, packet.media)
  pairs.forEach((pair, i) => {
    view.setUint16(8 + i * 4, pair.first)
    view.setUint16(10 + i * 4, pair.mask)
  })
  return bytes
}

function writeRemb(packet: Remb): Uint8Array {
  const { bytes, view } = frame(206, 15, 16 + packet.ssrcs.length * 4)
  let exponent = 0
  while (packet.bitrate / 2 ** exponent > 0x3ffff && exponent < 63) exponent++
  view.setUint32(0, packet.sender)
  view.setUint32(8, 0x52454d42)
  view.setUint32(12, (packet.ssrcs.length << 24) | (exponent << 18) | Math.floor(packet.bitrate / 2 ** exponent))
  packet.ssrcs.forEach((ssrc, i) => {
    view.setUint32(16 + i * 4, ssrc)
  })
  return bytes
}
