/**
 * Transport-wide congestion control feedback: draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1. The receiver says
 * when each packet, by its transport-wide sequence number, arrived on the receiver's own clock.
 */
export interface TransportFeedback {
  type: 'twcc'
  sender: number
  media: number
  /** Counts feedback packets, 8 bits. */
  feedback: number
  /** Sequence numbers in order without holes; `atUs` µs on the receiver's clock, modulo 2^24 × 64 ms; undefined: lost. */
  arrivals: { sequence: number; atUs: number | undefined }[]
}

const tickUs = 250
const referenceUs = 64_000

/** @param view body after the 4-byte header, padding left out. Undefined where it is malformed. */
export function parseTransportFeedback(view: DataView): TransportFeedback | undefined {
  if (view.byteLength < 16) return undefined
  const base = view.getUint16(8)
  const count = view.getUint16(10)
  const statuses: number[] = []
  let at = 16
  while (statuses.length < count) {
    if (at + 2 > view.byteLength) return undefined
    readChunk(view.getUint16(at), count, statuses)
    at += 2
  }
  let atUs = (view.getUint32(12) >>> 8) * referenceUs
  const arrivals: TransportFeedback['arrivals'] = []
  for (let i = 0; i < count; i++) {
    const sequence = (base + i) & 0xffff
    const status = statuses[i]!
    // 1: small delta, 0…63.75 ms, one byte; 2: large or negative delta, two bytes; 0 (and the reserved 3): nothing came.
    const size = status === 1 ? 1 : status === 2 ? 2 : 0
    if (at + size > view.byteLength) return undefined
    if (size === 0) {
      arrivals.push({ sequence, atUs: undefined })
      continue
    }
    atUs += (size === 1 ? view.getUint8(at) : view.getInt16(at)) * tickUs
    at += size
    arrivals.push({ sequence, atUs })
  }
  return {
    type: 'twcc',
    sender: view.getUint32(0),
    media: view.getUint32(4),
    feedback: view.getUint8(15),
    arrivals,
  }
}

function readChunk(chunk: number, count: number, statuses: number[]): void {
  if (chunk & 0x8000) {
    const twoBit = (chunk & 0x4000) !== 0
    const symbols = twoBit ? 7 : 14
    for (let i = 0; i < symbols && statuses.length < count; i++) {
      statuses.push(twoBit ? (chunk >> (12 - 2 * i)) & 3 : (chunk >> (13 - i)) & 1)
    }
    return
  }
  const status = (chunk >> 13) & 3
  for (let i = chunk & 0x1fff; i > 0 && statuses.length < count; i--) statuses.push(status)
}

/**
 * Writes the feedback with its header, padded to 32 bits (RFC 3550 §6.4.1: padding bit and count).
 * @throws RangeError where two arrivals are more than 8 s apart: send such in two packets.
 */
export function writeTransportFeedback(packet: TransportFeedback): Uint8Array {
  const first = packet.arrivals.find((arrival) => arrival.atUs !== undefined)?.atUs ?? 0
  const reference = Math.floor(first / referenceUs)
  let last = reference * referenceUs
  const statuses: number[] = []
  const deltas: number[] = []
  for (const { atUs } of packet.arrivals) {
    if (atUs === undefined) {
      statuses.push(0)
      continue
    }
    const delta = Math.round((atUs - last) / tickUs)
    if (delta < -0x8000 || delta > 0x7fff) throw new RangeError('arrivals too far apart for one feedback packet')
    last += delta * tickUs
    if (delta >= 0 && delta <= 0xff) {
      statuses.push(1)
      deltas.push(delta)
    } else {
      statuses.push(2)
      deltas.push((delta >> 8) & 0xff, delta & 0xff)
    }
  }
  const chunks = writeChunks(statuses)
  const body = 16 + chunks.length * 2 + deltas.length
  const padded = (body + 3) & ~3
  const bytes = new Uint8Array(4 + padded)
  const view = new DataView(bytes.buffer)
  bytes[0] = 0x80 | (padded > body ? 0x20 : 0) | 15
  bytes[1] = 205
  view.setUint16(2, padded / 4)
  view.setUint32(4, packet.sender)
  view.setUint32(8, packet.media)
  view.setUint16(12, packet.arrivals[0]?.sequence ?? 0)
  view.setUint16(14, packet.arrivals.length)
  view.setUint32(16, ((reference & 0xffffff) << 8) | (packet.feedback & 0xff))
  chunks.forEach((chunk, i) => {
    view.setUint16(20 + i * 2, chunk)
  })
  bytes.set(deltas, 20 + chunks.length * 2)
  if (padded > body) bytes[bytes.length - 1] = padded - body
  return bytes
}

/** Run-length chunks where at least seven alike follow, two-bit vectors elsewhere (§3.1.3, §3.1.4). */
function writeChunks(statuses: readonly number[]): number[] {
  const chunks: number[] = []
  let at = 0
  while (at < statuses.length) {
    let run = 1
    while (run < 0x1fff && at + run < statuses.length && statuses[at + run] === statuses[at]) run++
    if (run >= 7 || at + run === statuses.length) {
      chunks.push((statuses[at]! << 13) | run)
      at += run
      continue
    }
    let chunk = 0xc000
    for (let i = 0; i < 7; i++) chunk |= (statuses[at + i] ?? 0) << (12 - 2 * i)
    chunks.push(chunk)
    at += 7
  }
  return chunks
}
